/** Subscriptions: made, read, paused, resumed and ended by name. */
import { Hono } from "hono";
import { readConfig } from "../../config.ts";
import { parseListCursor } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { allowsOnSubscription, mayTouchSubscriptions } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import { checkTargetAddress } from "../../core/target-address.ts";
import { findListener } from "../../delivery/listener-registry.ts";
import type { DeliveryReport } from "../../durable-objects/rpc.ts";
import type { Env } from "../../env.ts";
import { keyringOf } from "../../sealing.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { subscription } from "../../stubs.ts";
import {
  formatSubscription,
  parseSubscriptionDefinition,
  type SubscriptionRequest,
} from "../../wire/native/subscription-definition.ts";
import { attachSubscription } from "../attach.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { sealTarget } from "../target-secrets.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, noContent, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const subscriptionRoutes = new Hono<HubBindings>()
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
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  const records = await new SubscriptionsStore(c.env.DB).list(principal.app, after, limit);
  const items = records
    .filter(({ definition }) => allowsOnSubscription(principal, "manage", definition.topics))
    .map(({ definition, createdAt }) => ({
      ...formatSubscription(definition),
      createdAt: new Date(createdAt).toISOString(),
    }));
  // Past what is not theirs the list goes on: a page may be short and yet not the last.
  return json({ items, cursor: records.length < limit ? null : records.at(-1)!.definition.name });
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
  const refusal = checkTarget(c.env, request.value.target);
  if (!refusal.ok) return problem(refusal.failure);

  let written = await write(c, name, request.value);
  if (!written.ok) return problem(written.failure);
  let attached = await attachSubscription(c.env, written.value.definition, LIMITS.ATTACH_TOPICS_INLINE_MAX);
  if (!attached.ok && attached.failure.code === "subscription_not_found") {
    // A DELETE that died half way has ended the ledger and left the row: finish it, and begin anew.
    await new SubscriptionsStore(c.env.DB).remove(c.var.principal.app, name);
    written = await write(c, name, request.value);
    if (!written.ok) return problem(written.failure);
    attached = await attachSubscription(c.env, written.value.definition, LIMITS.ATTACH_TOPICS_INLINE_MAX);
  }
  if (!attached.ok) return problem(attached.failure);
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
  await new SubscriptionsStore(c.env.DB).remove(found.value.app, found.value.name);
  return noContent();
}

async function turn(c: HubContext, verb: "pause" | "resume"): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const turned = await subscription(c.env, found.value.app, found.value.id)[verb]();
  return turned.ok ? view(c.env, found.value) : problem(turned.failure);
}

const DELIVERY_STATES: readonly string[] = ["owed", "in_flight", "dead"] satisfies DeliveryReport["state"][];

async function listDeliveries(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const state = c.req.query("state") ?? "owed";
  if (!DELIVERY_STATES.includes(state))
    return problem({ code: "parameter_invalid", detail: "state is owed, in_flight or dead." });
  const { after, limit } = query.value;
  if (after !== "" && parseListCursor(after) === null) return problem({ code: "cursor_invalid" });
  const ledger = subscription(c.env, found.value.app, found.value.id);
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
  return json({ ...shown, target, ...report.value }, status);
}

function checkTarget(env: Env, target: SubscriptionRequest["target"]): Result<null> {
  if (target.kind === "listener") return findListener(target.name) === null ? fail("listener_not_found") : ok(null);
  const address = checkTargetAddress(target.url, readConfig(env).allowPrivateTargets);
  return address.ok ? ok(null) : address;
}

interface Written {
  readonly definition: SubscriptionDefinition;
  readonly created: boolean;
  /** Shown this once; null when the client brought its own or kept the one it has. */
  readonly mintedSecret: string | null;
}

/**
 * Writes the definition over the revision that it read; another request in between makes it read again. Fails with
 * `scope_missing` when the one that stands is outside the credential's scopes, and as `sealTarget` does.
 */
async function write(c: HubContext, name: string, request: SubscriptionRequest): Promise<Result<Written>> {
  const store = new SubscriptionsStore(c.env.DB);
  for (;;) {
    const previous = (await store.find(c.var.principal.app, name))?.definition ?? null;
    if (previous !== null && !allowsOnSubscription(c.var.principal, "manage", previous.topics))
      return fail("scope_missing");
    const id = previous?.id ?? crypto.randomUUID().replaceAll("-", "");
    const sealed = await sealTarget(keyringOf(c.var.config), id, request.target, previous?.target ?? null);
    if (!sealed.ok) return sealed;
    const { startFrom } = request;
    const definition: SubscriptionDefinition = {
      id,
      app: c.var.principal.app,
      name,
      revision: (previous?.revision ?? 0) + 1,
      topics: request.topics,
      filter: request.filter,
      // Where it started is history: a change of the definition does not move it.
      start: previous?.start ?? (startFrom.kind === "latest" ? { kind: "latest", since: c.var.receivedAt } : startFrom),
      target: sealed.value.target,
      retry: request.retry,
      maxInFlight: request.maxInFlight,
      timeoutMs: request.timeoutMs,
    };
    const written =
      previous === null ? await store.insert(definition, c.var.receivedAt) : await store.replace(definition);
    if (written) return ok({ definition, created: previous === null, mintedSecret: sealed.value.mintedSecret });
  }
}
