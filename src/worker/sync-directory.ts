/**
 * Which subscriptions a publish waits for, as its route needs them: from the isolate's cache (30 s), else from D1, so
 * that a publish that nobody is waited for pays nothing. One that is not known here yet gets its events a moment later,
 * by the queue.
 */
import { LIMITS } from "../core/limits.ts";
import { matchesTopicPattern } from "../core/names.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { IsolateCache } from "./isolate-cache.ts";

export type SyncSubscription = Pick<SubscriptionDefinition, "id" | "app" | "name" | "topics" | "timeoutMs">;

const cache = new IsolateCache<readonly SyncSubscription[]>();

/** Never rejects: a publish does not hang on who waits for it. */
export async function findSyncSubscriptions(
  env: Env,
  app: string,
  topic: string,
): Promise<readonly SyncSubscription[]> {
  try {
    const known = cache.get(app, Date.now()) ?? (await read(env, app));
    return known.filter(({ topics }) => topics.some((pattern) => matchesTopicPattern(pattern, topic)));
  } catch (error) {
    logStage("sync.look_failed", { app, error: String(error) });
    return [];
  }
}

/** After a subscription was written, by the isolate that wrote it. */
export const forgetSyncSubscriptions = (app: string): void => cache.delete(app);

async function read(env: Env, app: string): Promise<readonly SyncSubscription[]> {
  const definitions = await new SubscriptionsStore(env.DB).sync(app);
  const found = definitions.map(({ id, name, topics, timeoutMs }) => ({ id, app, name, topics, timeoutMs }));
  cache.set(app, found, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return found;
}
