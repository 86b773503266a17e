/** Dead letters: read, grouped, delivered again, or given up for good. The live cursor never moves. */
import { Hono } from "hono";
import { parseListCursor } from "../../core/ledger-ids.ts";
import { ok, type Result } from "../../core/result.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { DeadLetterQuery } from "../../core/dead-letter.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { formatDeadLetters } from "../../wire/native/dead-letters.ts";
import { parseRepairRequest, type RepairRequest } from "../../wire/native/repair-request.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { parseFilterParameter } from "../events-query.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, jsonText, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const deadLetterRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/subscriptions/:name/dead-letters", listDeadLetters)
  .get("/subscriptions/:name/dead-letters/groups", listGroups)
  .post("/subscriptions/:name/dead-letters/redrive", jsonBody, idempotency, (c) => repair(c, "redrive"))
  .post("/subscriptions/:name/dead-letters/discard", jsonBody, idempotency, (c) => repair(c, "discard"));

async function listDeadLetters(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  if (after !== "" && parseListCursor(after) === null) return problem({ code: "cursor_invalid" });
  const narrowed = readDeadLetterQuery(c);
  if (!narrowed.ok) return problem(narrowed.failure);
  const { app, id } = found.value;
  const page = await subscription(c.env, app, id).deadLetters(after === "" ? null : after, limit, narrowed.value);
  return jsonText(formatDeadLetters(page));
}

function readDeadLetterQuery(c: HubContext): Result<DeadLetterQuery> {
  const text = c.req.query("filter");
  const filter = text === undefined ? ok(null) : parseFilterParameter(text);
  if (!filter.ok) return filter;
  const reason = c.req.query("reason") ?? null;
  return ok({ filter: filter.value, reason, fingerprint: c.req.query("fingerprint") ?? null });
}

async function listGroups(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  if (!/^([0-9a-f]{14})?$/.test(after)) return problem({ code: "cursor_invalid" });
  const { app, id } = found.value;
  return json(await subscription(c.env, app, id).deadLetterGroups(after === "" ? null : after, limit));
}

async function repair(c: HubContext, verb: "redrive" | "discard"): Promise<Response> {
  const found = await findSubscription(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const request = parseRepairRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const { choice, ...options } = request.value;
  if (!options.dryRun) await recordRepair(c, found.value, verb, request.value);
  const answer = await subscription(c.env, found.value.app, found.value.id)[verb](choice, options);
  if (!answer.ok) return problem(answer.failure);
  const { matched, job } = answer.value;
  return json({ matched, ...(job !== null && { job }) }, job === null ? 200 : 202);
}

/** Of very many ids the first few and their number; whoever asks does not fill the log. */
const shortened = (chosen: object): object =>
  "ids" in chosen && Array.isArray(chosen.ids)
    ? { ids: chosen.ids.slice(0, AUDITED_IDS_MAX), idsAsked: chosen.ids.length }
    : chosen;

const AUDITED_IDS_MAX = 10;

/** Before the repair, so that none goes unseen: what was asked for, and how many there were to it at that moment. */
async function recordRepair(
  c: HubContext,
  { app, id, name }: SubscriptionDefinition,
  verb: "redrive" | "discard",
  { choice, ratePerSecond }: RepairRequest,
): Promise<void> {
  const counted = await subscription(c.env, app, id)[verb](choice, { dryRun: true, ratePerSecond });
  const { kind, ...chosen } = choice;
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: verb === "redrive" ? "dead_letters.redriven" : "dead_letters.discarded",
    subject: name,
    before: null,
    after: {
      ...(kind === "all" ? { all: true } : shortened(chosen)),
      ...(ratePerSecond !== null && { ratePerSecond }),
      matched: counted.ok ? counted.value.matched : 0,
    },
  });
}
