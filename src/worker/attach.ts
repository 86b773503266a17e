/**
 * Patterns meet topics without a race. Each side writes its own row, then reads the other's table on the primary and
 * attaches what matches; attaching is idempotent. Whichever row came second, its writer sees the first. `settled` marks
 * who has finished; the cron finishes what a crash left.
 */
import { LIMITS } from "../core/limits.ts";
import { matchesTopicPattern } from "../core/names.ts";
import { isPresenceChannel } from "../core/member.ts";
import { ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { TopicsStore, type TopicRecord } from "../store/topics-store.ts";
import { presenceRoom, subscription, topicLog } from "../stubs.ts";
import { followedTopicOf } from "./topic-life.ts";

const TOPICS_PER_CALL = 50;
const SETTLE_AFTER_MS = 10_000; // A request that is still under way settles its own row.
const SETTLE_ROWS_PER_RUN = 100;

/**
 * Attaches every matching subscription to a topic that was just made. One that cannot be reached holds up no publish:
 * the topic stays unsettled, the cron comes back, and the subscription begins where it would have begun now.
 */
export async function attachTopic(env: Env, topic: TopicRecord): Promise<void> {
  const definitions = await new SubscriptionsStore(env.DB).all(topic.app);
  const matching = definitions.filter((definition) => matches(definition, topic.name));
  const answers = await Promise.allSettled(
    matching.map(({ app, id }) => subscription(env, app, id).follow([followedTopicOf(topic)])),
  );
  // A subscription that is not there yet, or no longer, reads the topics itself when it comes.
  const isAttached = answers.every(
    (answer) =>
      answer.status === "fulfilled" && (answer.value.ok || answer.value.failure.code === "subscription_not_found"),
  );
  if (isAttached) await new TopicsStore(env.DB).markSettled(topic);
  else logStage("topic.attach_incomplete", { app: topic.app, topic: topic.name });
}

/**
 * Attaches a subscription that was just written to the topics there are: all of them, or the first `topicsMax`.
 * Answers whether none is left; fails with `subscription_not_found` when its ledger was removed before.
 */
export async function attachSubscription(
  env: Env,
  definition: SubscriptionDefinition,
  topicsMax = Infinity,
): Promise<Result<boolean>> {
  const stub = subscription(env, definition.app, definition.id);
  await stub.configure(definition);
  const begun = await stub.follow([]); // Fails when the ledger was removed, even where no topic matches.
  if (!begun.ok) return begun;
  let after = "";
  let attached = 0;
  for (;;) {
    const page = await new TopicsStore(env.DB).list(definition.app, after, LIMITS.LIST_ITEMS_MAX);
    const matching = page.filter((topic) => matches(definition, topic.name));
    for (let from = 0; from < matching.length; from += TOPICS_PER_CALL) {
      if (attached >= topicsMax) return ok(false);
      const chunk = matching.slice(from, from + TOPICS_PER_CALL);
      const followed = await stub.follow(chunk.map(followedTopicOf));
      // A topic that was deleted since it was listed has nothing to follow.
      if (!followed.ok && followed.failure.code !== "topic_not_found") return followed;
      attached += chunk.length;
    }
    if (page.length < LIMITS.LIST_ITEMS_MAX) break;
    after = page.at(-1)!.name;
  }
  await new SubscriptionsStore(env.DB).markSettled(definition);
  return ok(true);
}

/** Tells the logs of a deleted topic, and through them their listeners, and its members that its life is over. */
export async function retireLogs(env: Env, topic: TopicRecord): Promise<void> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => topicLog(env, topic.app, topic.name, partition).retire(topic.epoch)));
  if (isPresenceChannel(topic.name)) await presenceRoom(env, topic.app, topic.name).end(topic.epoch);
  await new TopicsStore(env.DB).markSettled(topic);
}

/** What requests that died left half done: a bounded number of rows a run. */
export async function settleLeftovers(env: Env, now: number): Promise<void> {
  const before = now - SETTLE_AFTER_MS;
  for (const topic of await new TopicsStore(env.DB).unsettled(before, SETTLE_ROWS_PER_RUN)) {
    await settle(() => (topic.deletedAt === null ? attachTopic(env, topic) : retireLogs(env, topic)));
  }
  for (const definition of await new SubscriptionsStore(env.DB).unsettled(before, SETTLE_ROWS_PER_RUN)) {
    await settle(() => attachSubscription(env, definition));
  }
}

/** One row that cannot be settled now stops no other. */
async function settle(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logStage("cron.settle_failed", { error: String(error) });
  }
}

const matches = (definition: SubscriptionDefinition, topic: string): boolean =>
  definition.topics.some((pattern) => matchesTopicPattern(pattern, topic));
