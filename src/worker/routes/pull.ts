/** Pull workers: they come for deliveries, hold them on lease, and say what became of them. */
import { Hono } from "hono";
import type { Failure } from "../../core/errors.ts";
import type { LeaseVerdicts, PullAnswer } from "../../core/pull.ts";
import { ok, type Result } from "../../core/result.ts";
import { liftLine } from "../../core/upcast.ts";
import { logStage } from "../../observability/log.ts";
import { subscription } from "../../stubs.ts";
import { parsePullReport, formatVerdicts } from "../../wire/native/pull-report.ts";
import { formatPulled, parsePullRequest, type PullRequest } from "../../wire/native/pull-request.ts";
import { refusedMeanwhile } from "../access/refused-meanwhile.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency, readIdempotencyKey } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { PullWait } from "../pull-wait.ts";
import { answerUnreached } from "../reach.ts";
import { jsonText, problem } from "../respond.ts";
import { withFollowed } from "../subscription-directory.ts";

export const pullRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .post("/subscriptions/:name/pull", jsonBody, postPull)
  .post("/subscriptions/:name/ack", jsonBody, idempotency, postReport);

async function postPull(c: HubContext): Promise<Response> {
  const key = readIdempotencyKey(c.req.raw);
  if (!key.ok) return problem(key.failure);
  if (key.value !== null) return problem(NOT_REPEATABLE);
  const request = parsePullRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const answer = await pull(c, request.value);
  return answer.ok ? jsonText(formatPulled(answer.value.deliveries)) : problem(answer.failure);
}

const NOT_REPEATABLE: Failure = {
  code: "idempotency_key_invalid",
  detail: "A pull takes no Idempotency-Key: what a lost answer leased is due again when its leases end.",
};

/** At once if there is anything; else it waits for the ledger's word, or for what failed before to be due. */
async function pull(c: HubContext, request: PullRequest): Promise<Result<PullAnswer>> {
  const deadline = Date.now() + request.waitMs;
  const first = await pullOnce(c, request);
  if (!isWorthWaiting(first) || request.waitMs === 0) return first;
  const opened = await withFollowed(c, async ({ app, id }) =>
    ok(await PullWait.open(c.env, app, id, c.req.raw.signal)),
  );
  if (!opened.ok) return opened;
  const wait = opened.value;
  try {
    // Again behind the socket: what came before it was opened has rung for nobody.
    let answer = await pullOnce(c, request);
    while (isWorthWaiting(answer) && (await wait.forWork(answer.value.nextAt, deadline))) {
      const refused = await refusedMeanwhile(c);
      answer = refused ?? (await pullOnce(c, request));
    }
    return answer;
  } finally {
    wait.close();
  }
}

const isWorthWaiting = (answer: Result<PullAnswer>): answer is Extract<Result<PullAnswer>, { ok: true }> =>
  answer.ok && answer.value.deliveries.length === 0;

const pullOnce = (c: HubContext, { max, leaseMs }: PullRequest): Promise<Result<PullAnswer>> =>
  withFollowed(c, async ({ app, id, name, revision, lifts }): Promise<Result<PullAnswer>> => {
    const answer = await subscription(c.env, app, id).pull({ revision, max, leaseMs });
    const count = answer.ok ? answer.value.deliveries.length : 0;
    if (count > 0) logStage("delivery.leased", { app, subscription: name, count });
    if (!answer.ok || lifts === undefined) return answer;
    const deliveries = answer.value.deliveries.map((each) => ({ ...each, line: liftLine(each.line, lifts) }));
    return ok({ ...answer.value, deliveries });
  });

async function postReport(c: HubContext): Promise<Response> {
  const report = parsePullReport(c.var.body);
  if (!report.ok) return problem(report.failure);
  const verdicts = await withFollowed(c, async ({ app, id, name }): Promise<Result<LeaseVerdicts>> => {
    const answer = await subscription(c.env, app, id).settleLeases(report.value);
    if (answer.ok) logReport(app, name, answer.value);
    return answer;
  });
  return verdicts.ok ? jsonText(formatVerdicts(report.value, verdicts.value)) : problem(verdicts.failure);
}

const countHeld = (verdicts: readonly (boolean | number | null)[]): number => verdicts.filter(Boolean).length;

function logReport(app: string, name: string, { acks, nacks, extends: longer }: LeaseVerdicts): void {
  const [acked, nacked, extended] = [countHeld(acks), countHeld(nacks), countHeld(longer)];
  const fenced = acks.length + nacks.length + longer.length - acked - nacked - extended;
  logStage("delivery.reported", { app, subscription: name, acked, nacked, extended, fenced });
}
