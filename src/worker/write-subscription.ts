/** A subscription's row: written over what was read, removed as it was read, and told to the audit log either way. */
import type { AuditAction, AuditEntry } from "../core/audit.ts";
import { LIMITS } from "../core/limits.ts";
import { allowsOnSubscription } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { formerTopicsAfter, heldTopics, type SubscriptionDefinition, type Target } from "../core/subscription.ts";
import { keyringOf } from "../sealing.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { auditedSubscription } from "../wire/native/audit.ts";
import type { SubscriptionRequest } from "../wire/native/subscription-definition.ts";
import type { TargetRequest } from "../wire/native/target-definition.ts";
import { auditActorOf, callerOf } from "./caller.ts";
import type { HubContext } from "./context.ts";
import { resolveLifts } from "./resolve-lifts.ts";
import { sealTarget } from "./target-secrets.ts";

export interface WrittenSubscription {
  readonly definition: SubscriptionDefinition;
  readonly created: boolean;
  /** Shown this once; null when the client brought its own or kept the one it has. */
  readonly mintedSecret: string | null;
}

/**
 * Writes the definition over the revision that it read; another request in between makes it read again. What changes
 * nothing writes nothing. Fails with `scope_missing` when the one that stands is outside the credential's scopes, with
 * `quota_exceeded`, and as `sealTarget` does.
 */
export async function writeSubscription(
  c: HubContext,
  name: string,
  request: SubscriptionRequest,
): Promise<Result<WrittenSubscription>> {
  const store = new SubscriptionsStore(c.env.DB);
  const { principal } = c.var;
  const subscriptionsMax = principal.quotas.subscriptions ?? LIMITS.APP_SUBSCRIPTIONS_DEFAULT;
  for (;;) {
    const previous = (await store.find(principal.app, name))?.definition ?? null;
    if (previous !== null && !allowsOnSubscription(principal, "manage", heldTopics(previous)))
      return fail("scope_missing");
    const next = await definitionOf(c, name, request, previous);
    if (!next.ok) return next;
    const { definition } = next.value;
    const created = previous === null;
    if (previous !== null && isSame(previous, definition)) return ok({ ...next.value, definition: previous, created });
    const entry = entryOf(c, created ? "subscription.created" : "subscription.changed", name, previous, definition);
    const written = created
      ? await store.insert(definition, c.var.receivedAt, subscriptionsMax, entry)
      : ok(await store.replace(definition, entry));
    if (!written.ok) return written;
    if (written.value) return ok({ ...next.value, created });
  }
}

/** Writes the next revision, made of the one that was read; false when another request was first. */
export const replaceSubscription = (
  c: HubContext,
  action: AuditAction,
  before: SubscriptionDefinition,
  after: SubscriptionDefinition,
): Promise<boolean> => new SubscriptionsStore(c.env.DB).replace(after, entryOf(c, action, after.name, before, after));

/** Takes the row of a subscription whose ledger has ended. One that was made under its name since then stays. */
export async function removeSubscription(c: HubContext, ended: SubscriptionDefinition): Promise<void> {
  const store = new SubscriptionsStore(c.env.DB);
  for (;;) {
    const found = await store.find(ended.app, ended.name);
    if (found?.definition.id !== ended.id) return;
    const entry = entryOf(c, "subscription.deleted", ended.name, found.definition, null);
    if (await store.remove(found.definition, entry)) return;
  }
}

async function definitionOf(
  c: HubContext,
  name: string,
  request: SubscriptionRequest,
  previous: SubscriptionDefinition | null,
): Promise<Result<Omit<WrittenSubscription, "created">>> {
  const id = previous?.id ?? crypto.randomUUID().replaceAll("-", "");
  const sealed = await sealTarget(keyringOf(c.var.config), id, request.target, previous?.target ?? null);
  if (!sealed.ok) return sealed;
  const lifts = await resolveLifts(c.env, c.var.principal, request.schemas, "/schemas");
  if (!lifts.ok) return lifts;
  const { startFrom } = request;
  const formerTopics = formerTopicsAfter(previous, request.topics);
  const definition: SubscriptionDefinition = {
    id,
    app: c.var.principal.app,
    name,
    revision: (previous?.revision ?? 0) + 1,
    topics: request.topics,
    ...(formerTopics.length > 0 && { formerTopics }),
    filter: request.filter,
    // Where it started is history: a change of the definition does not move it.
    start: previous?.start ?? (startFrom.kind === "latest" ? { kind: "latest", since: c.var.receivedAt } : startFrom),
    target: withConsent(sealed.value.target, request.target, new URL(c.req.url).hostname),
    ...(request.mode !== undefined && { mode: request.mode }),
    retry: request.retry,
    ...request.flow,
    timeoutMs: request.timeoutMs,
    breaker: request.breaker,
    ...(request.schemas.size > 0 && { lifts: lifts.value }),
    ...(request.attempts !== "failures" && { attempts: request.attempts }),
  };
  return ok({ definition, mintedSecret: sealed.value.mintedSecret });
}

/** The route has asked the endpoint before, under the hub's name in this request. */
const withConsent = (target: Target, request: TargetRequest, hubHost: string): Target =>
  target.kind === "webhook" && request.kind === "webhook" && request.handshake === true
    ? { ...target, consentedTo: hubHost }
    : target;

/** Both were made in the one order of members, here and when the row was read. */
const isSame = (previous: SubscriptionDefinition, next: SubscriptionDefinition): boolean =>
  JSON.stringify(previous) === JSON.stringify({ ...next, revision: previous.revision });

const entryOf = (
  c: HubContext,
  action: AuditAction,
  subject: string,
  before: SubscriptionDefinition | null,
  after: SubscriptionDefinition | null,
): AuditEntry => ({
  ...auditActorOf(callerOf(c)),
  action,
  subject,
  before: before === null ? null : auditedSubscription(before),
  after: after === null ? null : auditedSubscription(after),
});
