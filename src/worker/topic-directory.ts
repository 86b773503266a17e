/**
 * Topics by name, as routes need them: from the isolate's cache (30 s), else from D1. What is stale here is found out
 * by the log, which refuses an old epoch before it does anything; `forget` then makes the next look go to D1.
 */
import { LIMITS } from "../core/limits.ts";
import { isSystemTopicName, isTopicName } from "../core/names.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Env } from "../env.ts";
import { TopicsStore, type TopicDefinition, type TopicIndex, type TopicRecord } from "../store/topics-store.ts";
import { DEFAULT_RETENTION } from "../wire/native/topic-definition.ts";
import { attachTopic } from "./attach.ts";
import type { Caller } from "./caller.ts";

export const DEFAULT_TOPIC: TopicDefinition = {
  partitions: 1,
  index: "none",
  retention: DEFAULT_RETENTION,
  schemaPolicy: "off",
  description: null,
};

const cache = new Map<string, { readonly topic: TopicRecord; readonly readAt: number }>();

/** Failures: `topic_name_invalid`, `topic_not_found`. */
export async function findTopic(env: Env, app: string, name: string): Promise<Result<TopicRecord>> {
  if (!isTopicName(name) && !isSystemTopicName(name)) return fail("topic_name_invalid");
  const known = cache.get(cacheKey(app, name));
  if (known !== undefined && Date.now() - known.readAt < LIMITS.CONFIG_CACHE_MS) return ok(known.topic);
  const topic = await new TopicsStore(env.DB).find(app, name);
  if (topic === null) return fail("topic_not_found");
  return ok(remember(topic));
}

/** Finds the topic or makes it with the app's default policy: what a first publish or subscribe does. */
export async function ensureTopic(
  env: Env,
  caller: Caller,
  name: string,
  index: TopicIndex = "none",
): Promise<Result<TopicRecord>> {
  const found = await findTopic(env, caller.principal.app, name);
  if (found.ok || found.failure.code !== "topic_not_found") return found;
  if (!isTopicName(name)) return found;
  return ok((await createTopic(env, caller, name, { ...DEFAULT_TOPIC, index })).topic);
}

/**
 * The row first, then the subscriptions whose patterns match it: see attach.ts. Not created: another request made it a
 * moment ago, and its definition may be another.
 */
export async function createTopic(
  env: Env,
  caller: Caller,
  name: string,
  definition: TopicDefinition,
): Promise<{ topic: TopicRecord; created: boolean }> {
  const { app } = caller.principal;
  const { topic, created } = await new TopicsStore(env.DB).create(app, name, definition, Date.now());
  if (created) await attachTopic(env, topic);
  return { topic: remember(topic), created };
}

export function remember(topic: TopicRecord): TopicRecord {
  if (cache.size >= LIMITS.CONFIG_CACHE_ENTRIES_MAX) cache.clear();
  const key = cacheKey(topic.app, topic.name);
  const known = cache.get(key)?.topic;
  // Of two requests at once the later one to come here may have read the earlier policy.
  if (known !== undefined && known.epoch === topic.epoch && known.revision > topic.revision) return known;
  cache.set(key, { topic, readAt: Date.now() });
  return topic;
}

export const forgetTopic = (app: string, name: string): boolean => cache.delete(cacheKey(app, name));

const cacheKey = (app: string, name: string): string => `${app}\n${name}`; // Neither holds a line break.

/**
 * Runs `work` with the topic, and once more with a fresh look when the log answers that the topic it was shown is of
 * the past: that refusal has no effect.
 */
export async function withTopic<T>(
  app: string,
  name: string,
  look: () => Promise<Result<TopicRecord>>,
  work: (topic: TopicRecord) => Promise<Result<T>>,
): Promise<Result<T>> {
  const first = await look();
  if (!first.ok) return first;
  const answer = await work(first.value);
  if (answer.ok || answer.failure.code !== "topic_not_found") return answer;
  forgetTopic(app, name);
  const second = await look();
  return second.ok ? work(second.value) : second;
}
