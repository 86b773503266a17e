/** One delivery that failed and waits: given up, so that its lane moves on, or tried again at once. */
import { Hono } from "hono";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { parseDeliveryChoice } from "../../wire/native/delivery-choice.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const parkedDeliveryRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .post("/subscriptions/:name/skip", jsonBody, idempotency, (c) => decide(c, "skip"))
  .post("/subscriptions/:name/retry", jsonBody, idempotency, (c) => decide(c, "retry"));

/** The audit log is told first, so that nothing goes unseen; what was not waiting is refused before that. */
async function decide(c: HubContext, verb: "skip" | "retry"): Promise<Response> {
  const found = await findSubscription(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const id = parseDeliveryChoice(c.var.body);
  if (!id.ok) return problem(id.failure);
  const { app, id: ledger, name } = found.value;
  if (!(await subscription(c.env, app, ledger).isParked(id.value))) return problem({ code: "delivery_not_found" });
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: verb === "skip" ? "delivery.skipped" : "delivery.hastened",
    subject: name,
    before: null,
    after: { id: id.value },
  });
  const decided = await subscription(c.env, app, ledger)[verb](id.value);
  return decided.ok ? json({ id: id.value }) : problem(decided.failure);
}
