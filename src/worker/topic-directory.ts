/**
 * Topics by name, as routes need them: from the isolate's cache (30 s), else from D1. What is stale here is found out
 * by the log or the room, which refuses an old epoch before it does anything; `forget` then makes the next look go to
 * D1.
 */
import type { AuditEntry } from "../core/audit.ts";
import { LIMITS } from "../core/limits.ts";
import { isSystemTopicName, isTopicName } from "../core/names.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Retention } from "../core/retention.ts";
import { policyFor } from "../core/topic-policy.ts";
import type { Env } from "../env.ts";
import { PoliciesStore } from "../store/policies-store.ts";
import { TopicsStore, type TopicDefinition, type TopicIndex, type TopicRecord } from "../store/topics-store.ts";
import { DEFAULT_RETENTION, formatTopic } from "../wire/native/topic-definition.ts";
import { attachTopic, retireLogs } from "./attach.ts";
import { auditActorOf, type Caller } from "./caller.ts";

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

export interface FirstUse {
  readonly index: TopicIndex;
  /** What it keeps where no policy says so; absent: the default. */
  readonly retention?: Retention;
  /** Refuses what the topic, as it would be made, could not do. */
  check(topic: TopicDefinition): Result<unknown>;
}

const ANY_USE: FirstUse = { index: "none", check: ok };

/**
 * Finds the topic or makes it, to keep what the app's policies say: what a first publish or subscribe does. A use that
 * is refused leaves no topic behind. Failures: those of `findTopic`, of `use.check`, `quota_exceeded`.
 */
export async function ensureTopic(env: Env, caller: Caller, name: string, use = ANY_USE): Promise<Result<TopicRecord>> {
  const found = await findTopic(env, caller.principal.app, name);
  if (found.ok || found.failure.code !== "topic_not_found") return found;
  if (!isTopicName(name)) return found;
  const policy = policyFor(await new PoliciesStore(env.DB).all(caller.principal.app), name);
  const retention = policy?.retention ?? use.retention ?? DEFAULT_TOPIC.retention;
  const definition = { ...DEFAULT_TOPIC, retention, index: use.index };
  const usable = use.check(definition);
  if (!usable.ok) return usable;
  const made = await createTopic(env, caller, name, definition);
  return made.ok ? ok(made.value.topic) : made;
}

/** Finds one of the hub's own topics or makes it. */
export async function ensureSystemTopic(env: Env, caller: Caller, name: string): Promise<Result<TopicRecord>> {
  const found = await findTopic(env, caller.principal.app, name);
  if (found.ok || found.failure.code !== "topic_not_found") return found;
  const made = await createTopic(env, caller, name, DEFAULT_TOPIC);
  return made.ok ? ok(made.value.topic) : made;
}

/**
 * The row first, then the subscriptions whose patterns match it: see attach.ts. Not created: another request made it a
 * moment ago, and its definition may be another. Failures: `quota_exceeded`.
 */
export async function createTopic(
  env: Env,
  caller: Caller,
  name: string,
  definition: TopicDefinition,
): Promise<Result<{ topic: TopicRecord; created: boolean }>> {
  const after = formatTopic({ name, ...definition });
  const entry: AuditEntry = { ...auditActorOf(caller), action: "topic.created", subject: name, before: null, after };
  const topicsMax = caller.principal.quotas.topics ?? LIMITS.APP_TOPICS_DEFAULT;
  const made = await new TopicsStore(env.DB).create(definition, topicsMax, entry);
  if (!made.ok) return made;
  const { topic, created } = made.value;
  if (created) await attachTopic(env, topic);
  return ok({ topic: remember(topic), created });
}

/** Changes what may change of a topic as it was read; null when it is gone or was changed since. */
export async function changeTopic(
  env: Env,
  caller: Caller,
  topic: TopicRecord,
  definition: TopicDefinition,
): Promise<TopicRecord | null> {
  const [before, after] = [formatTopic(topic), formatTopic({ ...topic, ...definition })];
  if (JSON.stringify(before) === JSON.stringify(after)) return topic;
  const entry: AuditEntry = { ...auditActorOf(caller), action: "topic.changed", subject: topic.name, before, after };
  return new TopicsStore(env.DB).update(topic, definition, entry);
}

/** The row first, so that no new request finds the topic; then the logs, which tell whoever listens. */
export async function deleteTopic(env: Env, caller: Caller, name: string): Promise<Result<null>> {
  const store = new TopicsStore(env.DB);
  const { app } = caller.principal;
  for (;;) {
    const topic = await store.find(app, name);
    if (topic === null) {
      forgetTopic(app, name);
      return fail("topic_not_found");
    }
    const before = formatTopic(topic);
    const entry: AuditEntry = { ...auditActorOf(caller), action: "topic.deleted", subject: name, before, after: null };
    const removed = await store.remove(topic, entry);
    if (removed === null) continue; // Changed since it was read: the log of changes tells what was really deleted.
    forgetTopic(app, name);
    await retireLogs(env, removed);
    return ok(null);
  }
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

/** When the app is gone. */
export function forgetTopicsOf(app: string): void {
  for (const [key, { topic }] of cache) if (topic.app === app) cache.delete(key);
}

const cacheKey = (app: string, name: string): string => `${app}\n${name}`; // Neither holds a line break.

/**
 * Runs `work` with the topic, and once more with a fresh look when the log or the room answers that the topic it was
 * shown is of the past: that refusal has no effect.
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
