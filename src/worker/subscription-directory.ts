/**
 * Subscriptions as those need them who follow one and come often: kept in the isolate for half a minute. What is stale
 * here is found out by the ledger, which refuses whoever has read an older definition than its own.
 */
import { LIMITS } from "../core/limits.ts";
import { isSubscriptionName } from "../core/names.ts";
import { allowsOnSubscription, mayTouchSubscriptions } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { heldTopics } from "../core/subscription.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import type { HubContext } from "./context.ts";
import { IsolateCache } from "./isolate-cache.ts";

export type Followed = Pick<SubscriptionDefinition, "id" | "app" | "name" | "revision" | "topics" | "lifts">;

const cache = new IsolateCache<Followed>();

/**
 * Runs `work` with the subscription of the path, and once more with a fresh look when its ledger knows a newer one or
 * none: that refusal has no effect. Whoever may subscribe to every one of its patterns, or manage it, may follow it.
 * Failures: `scope_missing`, `subscription_not_found`, those of `work`.
 */
export async function withFollowed<T>(
  c: HubContext,
  work: (subscription: Followed) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { principal } = c.var;
  const mayFollow = mayTouchSubscriptions(principal, "subscribe") || mayTouchSubscriptions(principal, "manage");
  if (!mayFollow) return fail("scope_missing");
  const first = await find(c);
  if (!first.ok) return first;
  const answer = await work(first.value);
  if (answer.ok || answer.failure.code !== "subscription_not_found") return answer;
  cache.delete(cacheKey(principal.app, first.value.name));
  const second = await find(c);
  return second.ok ? work(second.value) : second;
}

/** What lies outside the credential's scopes is not there for it. */
async function find(c: HubContext): Promise<Result<Followed>> {
  const { principal } = c.var;
  const name = c.req.param("name")!;
  if (!isSubscriptionName(name)) return fail("subscription_not_found");
  const found = cache.get(cacheKey(principal.app, name), Date.now()) ?? (await read(c, name));
  const isTheirs =
    found !== null &&
    (allowsOnSubscription(principal, "subscribe", found.topics) ||
      allowsOnSubscription(principal, "manage", found.topics));
  return isTheirs ? ok(found) : fail("subscription_not_found");
}

async function read(c: HubContext, name: string): Promise<Followed | null> {
  const { app } = c.var.principal;
  const record = await new SubscriptionsStore(c.env.DB).find(app, name);
  if (record === null) return null;
  const { id, revision, lifts } = record.definition;
  const followed = { id, app, name, revision, topics: heldTopics(record.definition), ...(lifts && { lifts }) };
  cache.set(cacheKey(app, name), followed, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return followed;
}

const cacheKey = (app: string, name: string): string => `${app}\n${name}`; // Neither holds a line break.
