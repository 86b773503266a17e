/** Jobs: how far one is, and its end before its time. Its id names the ledger where it lives. */
import { Hono } from "hono";
import { parseJobKey, type JobPlace } from "../../core/job.ts";
import { allowsOnSubscription, mayTouchSubscriptions } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { SubscriptionRpc } from "../../durable-objects/rpc.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { heldTopics } from "../../core/subscription.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { subscription } from "../../stubs.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";

export const jobRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/jobs/:id", getJob)
  .post("/jobs/:id/cancel", jsonBody, idempotency, cancelJob);

async function getJob(c: HubContext): Promise<Response> {
  const found = await findJob(c, "manage");
  if (!found.ok) return problem(found.failure);
  const report = await found.value.ledger.job(found.value.number);
  return report.ok ? json(report.value) : problem(report.failure);
}

/** The audit log is told first: no end goes unseen, and one that came too late was asked for. */
async function cancelJob(c: HubContext): Promise<Response> {
  const found = await findJob(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const { ledger, number } = found.value;
  const report = await ledger.job(number);
  if (!report.ok) return problem(report.failure);
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: "job.cancelled",
    subject: report.value.id,
    before: { state: report.value.state, done: report.value.done },
    after: { state: "cancelled" },
  });
  const cancelled = await ledger.cancelJob(number);
  return cancelled.ok ? json(cancelled.value) : problem(cancelled.failure);
}

interface FoundJob {
  readonly ledger: DurableObjectStub<SubscriptionRpc>;
  readonly number: number;
}

/**
 * The ledger that the id names, if its subscription is the app's and within the credential's scopes; to look, either
 * scope will do. No object is touched for an id that no subscription of the app has.
 */
async function findJob(c: HubContext, action: "manage" | "redrive"): Promise<Result<FoundJob>> {
  const { principal } = c.var;
  const actions = action === "manage" ? (["manage", "redrive"] as const) : ([action] as const);
  if (!actions.some((one) => mayTouchSubscriptions(principal, one))) return fail("scope_missing");
  const place: JobPlace | null = parseJobKey(c.req.param("id")!);
  if (place === null) return fail("job_not_found");
  const record = await new SubscriptionsStore(c.env.DB).findById(principal.app, place.subscription);
  const topics = record === null ? null : heldTopics(record.definition);
  if (topics === null || !actions.some((one) => allowsOnSubscription(principal, one, topics)))
    return fail("job_not_found");
  return ok({ ledger: subscription(c.env, principal.app, place.subscription), number: place.number });
}
