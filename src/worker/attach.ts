/**
 * Patterns meet topics without a race. Each side writes its own row, then reads the other's table on the primary and
 * attaches what matches; attaching is idempotent. Whichever row came second, its writer sees the first. `settled` marks
 * who has finished; the cron finishes what a crash left.
 */
import { LIMITS } from "../core/limits.ts";
import { matchesTopicPattern } from "../core/names.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { TopicsStore, type TopicRecord } from "../store/topics-store.ts";
import { subscription, topicLog } from "../stubs.ts";
import { followedTopicOf } from "./topic-life.ts";

const TOPICS_PER_CALL = 50;
const SETTLE_AFTER_MS = 10_000; // A request that is still under way settles its own row.
const SETTLE_ROWS_PER_RUN = 100;

/** Attaches every matching subscription to a topic that was just made. */
export async function attachTopic(env: Env, topic: TopicRecord): Promise<void> {
  const definitions = await new SubscriptionsStore(env.DB).all(topic.app);
  const matching = definitions.filter((definition) => matches(definition, topic.name));
  await Promise.all(matching.map(({ app, id }) => subscription(env, app, id).follow([followedTopicOf(topic)])));
  await new TopicsStore(env.DB).markSettled(topic);
}

/**
 * Attaches a subscription that was just written to the topics there are: all of them, or the first `topicsMax`.
 * Answers whether none is left.
 */
export async function attachSubscription(
  env: Env,
  definition: SubscriptionDefinition,
  topicsMax = Infinity,
): Promise<boolean> {
  const stub = subscription(env, definition.app, definition.id);
  await stub.configure(definition);
  let after = "";
  let attached = 0;
  for (;;) {
    const page = await new TopicsStore(env.DB).list(definition.app, after, LIMITS.LIST_ITEMS_MAX);
    const matching = page.filter((topic) => matches(definition, topic.name));
    for (let from = 0; from < matching.length; from += TOPICS_PER_CALL) {
      if (attached >= topicsMax) return false;
      const chunk = matching.slice(from, from + TOPICS_PER_CALL);
      const followed = await stub.follow(chunk.map(followedTopicOf));
      if (!followed.ok) throw new Error(`cannot follow: ${followed.failure.code}`);
      attached += chunk.length;
    }
    if (page.length < LIMITS.LIST_ITEMS_MAX) break;
    after = page.at(-1)!.name;
  }
  await new SubscriptionsStore(env.DB).markSettled(definition);
  return true;
}

/** Tells the logs of a deleted topic, and through them their listeners, that its life is over. */
export async function retireLogs(env: Env, topic: TopicRecord): Promise<void> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => topicLog(env, topic.app, topic.name, partition).retire(topic.epoch)));
  await new TopicsStore(env.DB).markSettled(topic);
}

/** What requests that died left half done: a bounded number of rows a run. */
export async function settleLeftovers(env: Env, now: number): Promise<void> {
  const before = now - SETTLE_AFTER_MS;
  for (const topic of await new TopicsStore(env.DB).unsettled(before, SETTLE_ROWS_PER_RUN)) {
    await (topic.deletedAt === null ? attachTopic(env, topic) : retireLogs(env, topic));
  }
  for (const definition of await new SubscriptionsStore(env.DB).unsettled(before, SETTLE_ROWS_PER_RUN)) {
    await attachSubscription(env, definition);
  }
}

const matches = (definition: SubscriptionDefinition, topic: string): boolean =>
  definition.topics.some((pattern) => matchesTopicPattern(pattern, topic));
