/**
 * How one app stands, for a person: what there is against its limits, what lags or is owed, who is connected, and what
 * the hub told last. Read from where it stands, object by object, so its parts are of slightly different moments.
 */
import { splitLines } from "../core/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Principal } from "../core/principal.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { OPERATIONS_TOPIC } from "../core/system-event.ts";
import type { LogStatus } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { TopicsStore, type TopicRecord } from "../store/topics-store.ts";
import { subscription, topicLog } from "../stubs.ts";
import { Asking } from "./asking.ts";
import { countChannels } from "./channel-counts.ts";
import { hubOverviews } from "./hub-directory.ts";
import { findTopic } from "./topic-directory.ts";
import { lifeOf } from "./topic-life.ts";

/** Rejects only when D1 does: who cannot be reached is left out and counted. */
export async function collectOverview(env: Env, { app, appName, quotas }: Principal, now: number): Promise<object> {
  const asking = new Asking();
  const [topics, subscriptions, connections, channels, operations] = await Promise.all([
    topicsOf(env, app, asking, quotas.topics ?? LIMITS.APP_TOPICS_DEFAULT),
    subscriptionsOf(env, app, asking, quotas.subscriptions ?? LIMITS.APP_SUBSCRIPTIONS_DEFAULT),
    asking.one(() => connectionsOf(env, app, quotas.sockets ?? null), null),
    asking.one(() => channelsOf(env, app), null),
    asking.one(() => operationsOf(env, app), null),
  ]);
  const { unreached } = asking;
  const at = new Date(now).toISOString();
  return { app: appName, at, topics, subscriptions, connections, channels, operations, unreached };
}

async function topicsOf(env: Env, app: string, asking: Asking, limit: number): Promise<object> {
  const store = new TopicsStore(env.DB);
  const [counts, listed] = await Promise.all([store.count(app), store.list(app, "", LIMITS.OVERVIEW_PARTITIONS_MAX)]);
  const items = await asking.each(fewLogsOf(listed), (topic) => topicOf(env, topic));
  return { total: counts.users, limit, items, leftOut: Math.max(0, counts.users + counts.hubs - items.length) };
}

/** As many topics, in the order of their names, as have so many partitions together. */
function fewLogsOf(topics: readonly TopicRecord[]): readonly TopicRecord[] {
  let logs = 0;
  const end = topics.findIndex(({ partitions }) => (logs += partitions) > LIMITS.OVERVIEW_PARTITIONS_MAX);
  return end === -1 ? topics : topics.slice(0, end);
}

/** Null: it was deleted a moment ago. `stored`: what the fullest partition's object takes, which its limit bounds. */
async function topicOf(env: Env, topic: TopicRecord): Promise<object | null> {
  const { app, name, partitions } = topic;
  const statuses = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => topicLog(env, app, name, partition).status(lifeOf(topic))),
  );
  const logs = statuses.flatMap((status): LogStatus[] => (status.ok ? [status.value] : []));
  if (logs.length < partitions) return null;
  const sumOf = (count: (log: LogStatus) => number): number => logs.reduce((sum, log) => sum + count(log), 0);
  const fullest = logs.reduce((most, log) => (log.storedBytes > most.storedBytes ? log : most));
  const stored = { partition: fullest.partition, bytes: fullest.storedBytes, limit: LIMITS.LOG_BYTES_MAX };
  return { name, partitions, events: sumOf(({ events }) => events), bytes: sumOf(({ bytes }) => bytes), stored };
}

async function subscriptionsOf(env: Env, app: string, asking: Asking, limit: number): Promise<object> {
  const store = new SubscriptionsStore(env.DB);
  const [total, listed] = await Promise.all([store.count(app), store.list(app, "", LIMITS.OVERVIEW_SUBSCRIPTIONS_MAX)]);
  const items = await asking.each(listed, ({ definition }) => subscriptionOf(env, definition));
  return { total, limit, items, leftOut: Math.max(0, total - items.length) };
}

async function subscriptionOf(env: Env, { app, id, name, target }: SubscriptionDefinition): Promise<object | null> {
  const report = await subscription(env, app, id).report();
  if (!report.ok) return null;
  const { state, health, stats } = report.value;
  const { lag, owed, inFlight, dead, oldestOwedAt } = stats;
  return { name, target: target.kind, state, breaker: health.state, lag, owed, inFlight, dead, oldestOwedAt };
}

/** `users`: one who is connected to several hubs counts in each. */
async function connectionsOf(env: Env, app: string, limit: number | null): Promise<object> {
  const hubs = await hubOverviews(env, app);
  const sumOf = (count: (hub: (typeof hubs)[number]) => number): number =>
    hubs.reduce((sum, hub) => sum + count(hub), 0);
  return { sockets: sumOf(({ sockets }) => sockets), limit, users: sumOf(({ users }) => users), hubs: hubs.length };
}

async function channelsOf(env: Env, app: string): Promise<object> {
  const max = LIMITS.OVERVIEW_CHANNELS_MAX;
  const channels = await countChannels(env, app, "", "", max + 1);
  const items = channels.slice(0, max).map(({ channel: name, subscriptions }) => ({ name, subscriptions }));
  return { items, more: channels.length > max };
}

/** The last that the app's operators were told, the newest first. */
async function operationsOf(env: Env, app: string): Promise<readonly object[]> {
  const topic = await findTopic(env, app, OPERATIONS_TOPIC);
  if (!topic.ok) return [];
  const [life, log] = [lifeOf(topic.value), topicLog(env, app, OPERATIONS_TOPIC, 0)];
  const status = await log.status(life);
  if (!status.ok) return [];
  const eventsMax = LIMITS.OVERVIEW_EVENTS_MAX;
  const offset = Math.max(0, status.value.lastOffset - eventsMax);
  const page = await log.read({
    life,
    start: { kind: "after", epoch: null, offset },
    until: null,
    eventsMax,
    bytesMax: LIMITS.PAGE_BYTES_MAX,
    types: null,
    keys: null,
    keyStream: null,
  });
  return page.ok ? splitLines(page.value.body).map(formatOperation).toReversed() : [];
}

function formatOperation(line: string): object {
  const { type, subject, time, data } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  return { type, subject, time, data };
}
