/** Dead letters: read, delivered again, or given up for good. The live cursor never moves. */
import { Hono } from "hono";
import { parseListCursor } from "../../core/ledger-ids.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { DeadLetterChoice } from "../../durable-objects/rpc.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { formatDeadLetters } from "../../wire/native/dead-letters.ts";
import { parseRepairRequest } from "../../wire/native/repair-request.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery, refuseUnoffered } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, jsonText, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const deadLetterRoutes = new Hono<HubBindings>()
  .get("/subscriptions/:name/dead-letters", listDeadLetters)
  .post("/subscriptions/:name/dead-letters/redrive", jsonBody, idempotency, (c) => choose(c, "redrive"))
  .post("/subscriptions/:name/dead-letters/discard", jsonBody, idempotency, (c) => choose(c, "discard"));

async function listDeadLetters(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  if (after !== "" && parseListCursor(after) === null) return problem({ code: "cursor_invalid" });
  const unoffered = refuseUnoffered(c, ["filter"]);
  if (!unoffered.ok) return problem(unoffered.failure);
  const { app, id } = found.value;
  const page = await subscription(c.env, app, id).deadLetters(
    after === "" ? null : after,
    limit,
    c.req.query("reason") ?? null,
  );
  return jsonText(formatDeadLetters(page));
}

async function choose(c: HubContext, verb: "redrive" | "discard"): Promise<Response> {
  const found = await findSubscription(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const choice = parseRepairRequest(c.var.body);
  if (!choice.ok) return problem(choice.failure);
  if (!choice.value.dryRun) await recordRepair(c, found.value, verb, choice.value.choice);
  const matched = await subscription(c.env, found.value.app, found.value.id)[verb](
    choice.value.choice,
    choice.value.dryRun,
  );
  return matched.ok ? json({ matched: matched.value }) : problem(matched.failure);
}

/** Before the repair, so that none goes unseen: what was asked for, and how many there were to it at that moment. */
async function recordRepair(
  c: HubContext,
  { app, id, name }: SubscriptionDefinition,
  verb: "redrive" | "discard",
  choice: DeadLetterChoice,
): Promise<void> {
  const counted = await subscription(c.env, app, id)[verb](choice, true);
  const chosen = choice.kind === "all" ? { all: true } : { ids: choice.ids };
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: verb === "redrive" ? "dead_letters.redriven" : "dead_letters.discarded",
    subject: name,
    before: null,
    after: { ...chosen, matched: counted.ok ? counted.value : 0 },
  });
}
