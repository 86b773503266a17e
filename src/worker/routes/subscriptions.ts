/** Subscriptions: made, read, paused, resumed and ended by name. */
import { Hono } from "hono";
import { parseListCursor } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { allowsOnSubscription, mayTouchSubscriptions } from "../../core/principal.ts";
import { heldTopics, type SubscriptionDefinition } from "../../core/subscription.ts";
import type { DeliveryReport } from "../../core/subscription-report.ts";
import type { Env } from "../../env.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { SubscriptionsStore, type SubscriptionRecord } from "../../store/subscriptions-store.ts";
import { subscription } from "../../stubs.ts";
import { formatSignature } from "../../wire/native/secret-rotation.ts";
import { formatSubscription, parseSubscriptionDefinition } from "../../wire/native/subscription-definition.ts";
import { attachSubscription } from "../attach.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import { checkTarget } from "../check-target.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, noContent, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";
import { forgetSyncSubscriptions } from "../sync-directory.ts";
import { listVisible } from "../visible-list.ts";
import { removeSubscription, writeSubscription } from "../write-subscription.ts";

export const subscriptionRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/subscriptions", listSubscriptions)
  .get("/subscriptions/:name", getSubscription)
  .put("/subscriptions/:name", jsonBody, idempotency, putSubscription)
  .delete("/subscriptions/:name", jsonBody, idempotency, deleteSubscription)
  .post("/subscriptions/:name/pause", jsonBody, idempotency, (c) => turn(c, "pause"))
  .post("/subscriptions/:name/resume", jsonBody, idempotency, (c) => turn(c, "resume"))
  .get("/subscriptions/:name/deliveries", listDeliveries);

async function listSubscriptions(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  if (!mayTouchSubscriptions(principal, "manage")) return problem({ code: "scope_missing" });
  const page = await listVisible<SubscriptionRecord>(c, {
    nameOf: ({ definition }) => definition.name,
    isVisible: ({ definition }) => allowsOnSubscription(principal, "manage", heldTopics(definition)),
    read: (after, limit) => new SubscriptionsStore(c.env.DB).list(principal.app, after, limit),
  });
  if (!page.ok) return problem(page.failure);
  const items = page.value.items.map(({ definition, createdAt }) => ({
    ...formatSubscription(definition),
    ...formatSignature(definition.target, Date.now()),
    createdAt: new Date(createdAt).toISOString(),
  }));
  return json({ items, cursor: page.value.cursor });
}

async function getSubscription(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  return found.ok ? view(c.env, found.value) : problem(found.failure);
}

async function putSubscription(c: HubContext): Promise<Response> {
  const name = c.req.param("name")!;
  if (!isSubscriptionName(name))
    return problem({ code: "subscription_invalid", detail: "That is not a name that a subscription can have." });
  if (!mayTouchSubscriptions(c.var.principal, "manage")) return problem({ code: "scope_missing" });
  const request = parseSubscriptionDefinition(c.var.body);
  if (!request.ok) return problem(request.failure);
  if (!allowsOnSubscription(c.var.principal, "manage", request.value.topics)) return problem({ code: "scope_missing" });
  const refusal = await checkTarget(c, name, request.value.target);
  if (!refusal.ok) return problem(refusal.failure);

  let written = await writeSubscription(c, name, request.value);
  if (!written.ok) return problem(written.failure);
  let attached = await attachSubscription(c.env, written.value.definition, LIMITS.ATTACH_TOPICS_INLINE_MAX);
  if (!attached.ok && attached.failure.code === "subscription_not_found") {
    // A DELETE that died half way has ended the ledger and left the row: finish it, and begin anew.
    await removeSubscription(c, written.value.definition);
    written = await writeSubscription(c, name, request.value);
    if (!written.ok) return problem(written.failure);
    attached = await attachSubscription(c.env, written.value.definition, LIMITS.ATTACH_TOPICS_INLINE_MAX);
  }
  if (!attached.ok) return problem(attached.failure);
  forgetSyncSubscriptions(c.var.principal.app);
  const { definition, created, mintedSecret } = written.value;
  const status = attached.value ? (created ? 201 : 200) : 202; // The cron attaches the rest.
  if (mintedSecret !== null) c.set("showsSecret", true);
  return view(c.env, definition, status, mintedSecret);
}

/** Ends the ledger first: while the row stands, a repeat of this request finds what is left to do. */
async function deleteSubscription(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  await subscription(c.env, found.value.app, found.value.id).remove();
  await removeSubscription(c, found.value);
  forgetSyncSubscriptions(found.value.app);
  return noContent();
}

/** The state is the ledger's, so the audit log is told first: no turn goes unseen, and a refused one was asked for. */
async function turn(c: HubContext, verb: "pause" | "resume"): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const { app, id, name } = found.value;
  const report = await subscription(c.env, app, id).report();
  if (!report.ok) return problem(report.failure);
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: verb === "pause" ? "subscription.paused" : "subscription.resumed",
    subject: name,
    before: { state: report.value.state },
    after: { state: verb === "pause" ? "paused" : "active" },
  });
  const turned = await subscription(c.env, app, id)[verb]();
  return turned.ok ? view(c.env, found.value) : problem(turned.failure);
}

const DELIVERY_STATES: readonly string[] = [
  "owed",
  "in_flight",
  "delivered",
  "dead",
] satisfies DeliveryReport["state"][];

async function listDeliveries(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const event = c.req.query("event");
  const state = c.req.query("state") ?? (event === undefined ? "owed" : null);
  if (state !== null && !DELIVERY_STATES.includes(state))
    return problem({ code: "parameter_invalid", detail: "state is owed, in_flight, delivered or dead." });
  const { after, limit } = query.value;
  if (after !== "" && parseListCursor(after) === null) return problem({ code: "cursor_invalid" });
  const ledger = subscription(c.env, found.value.app, found.value.id);
  if (event !== undefined) {
    const items = await ledger.deliveriesOf(event);
    return json({ items: items.filter((item) => state === null || item.state === state), cursor: null });
  }
  return json(await ledger.deliveries(state as DeliveryReport["state"], after === "" ? null : after, limit));
}

async function view(
  env: Env,
  definition: SubscriptionDefinition,
  status = 200,
  secret: string | null = null,
): Promise<Response> {
  const report = await subscription(env, definition.app, definition.id).report();
  if (!report.ok) return problem(report.failure);
  const shown = formatSubscription(definition);
  const target = secret === null ? shown.target : { ...shown.target, secret };
  return json({ ...shown, target, ...formatSignature(definition.target, Date.now()), ...report.value }, status);
}
