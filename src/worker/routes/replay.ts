/** `POST /v1/subscriptions/{name}/replay`: a range of the logs once more, as a job beside live delivery. */
import { Hono } from "hono";
import type { ReplayAnswer } from "../../core/replay.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { parseReplayRequest } from "../../wire/native/replay-request.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const replayRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .post("/subscriptions/:name/replay", jsonBody, idempotency, replay);

/**
 * The audit log is told first, with what a dry run has said: no replay goes unseen, and a refused one was asked for. By
 * the dry run two that were sent at once also see each other.
 */
async function replay(c: HubContext): Promise<Response> {
  const found = await findSubscription(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const request = parseReplayRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const { app, id, name } = found.value;
  const ledger = subscription(c.env, app, id);
  const preview = await ledger.replay({ ...request.value, dryRun: true, lastJob: null });
  if (!preview.ok) return problem(preview.failure);
  if (request.value.dryRun) return json(viewOf(preview.value));
  const { mode, filter, ratePerSecond } = request.value;
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: "subscription.replayed",
    subject: name,
    before: null,
    after: { mode, matched: preview.value.matched, filter, ratePerSecond, ...boundsOf(preview.value) },
  });
  const begun = await ledger.replay({ ...request.value, lastJob: preview.value.lastJob });
  if (!begun.ok) return problem(begun.failure);
  return json(viewOf(begun.value), begun.value.job === null ? 200 : 202);
}

const viewOf = ({ matched, job, partitions }: ReplayAnswer) => ({ matched, ...(job !== null && { job }), partitions });

/** The range itself where it is one, else how many there are: the log is not filled with partitions. */
const boundsOf = ({ partitions }: ReplayAnswer): object =>
  partitions.length === 1 ? { range: partitions[0] } : { partitions: partitions.length };
