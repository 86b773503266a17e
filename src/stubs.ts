/** The only file that names objects. A stub breaks after an exception, so callers take a new one for each try. */
import type { SubscriptionRpc, TopicLogRpc } from "./durable-objects/rpc.ts";
import type { BatchRpc } from "./durable-objects/rpc/batch.ts";
import type { ChannelHubRpc } from "./durable-objects/rpc/channel-hub.ts";
import type { MetricTallyRpc } from "./durable-objects/rpc/metric-tally.ts";
import type { PresenceRoomRpc } from "./durable-objects/rpc/presence-room.ts";
import type { QuotaMeterRpc } from "./durable-objects/rpc/quota-meter.ts";
import type { SchedulesRpc } from "./durable-objects/rpc/schedules.ts";
import { endpointHealthCalls, type EndpointHealthCalls } from "./durable-objects/endpoint-health/facade.ts";
import type { Env } from "./env.ts";
import { assert } from "./core/assert.ts";
import type { HubPlace } from "./core/hub-place.ts";
import { hubName, objectName, parseObjectName } from "./core/keys.ts";

export const topicLog = (env: Env, app: string, topic: string, partition: number): DurableObjectStub<TopicLogRpc> =>
  env.TOPIC_LOG.getByName(objectName("log", app, topic, partition));

export const subscription = (env: Env, app: string, id: string): DurableObjectStub<SubscriptionRpc> =>
  env.SUBSCRIPTION.getByName(objectName("subscription", app, id));

/** Whoever calls it first decides where it stands, so every call that may be the first goes by the whole place. */
export const channelHub = (env: Env, place: HubPlace): DurableObjectStub<ChannelHubRpc> =>
  env.CHANNEL_HUB.getByName(hubName(place), place.region === "any" ? {} : { locationHint: place.region });

/** A log knows its live listeners by their own names. */
export function channelHubNamed(env: Env, name: string): DurableObjectStub<ChannelHubRpc> {
  const place = parseObjectName(name);
  assert(place.kind === "hub", "only hubs are listeners by name");
  return channelHub(env, place);
}

/** One for each presence channel. */
export const presenceRoom = (env: Env, app: string, channel: string): DurableObjectStub<PresenceRoomRpc> =>
  env.PRESENCE_ROOM.getByName(objectName("presence", app, channel));

export const batch = (env: Env, app: string, id: string): DurableObjectStub<BatchRpc> =>
  env.BATCH.getByName(objectName("batch", app, id));

/** One for each app. */
export const quotaMeter = (env: Env, app: string): DurableObjectStub<QuotaMeterRpc> =>
  env.QUOTA_METER.getByName(objectName("quota", app));

/** A few for the whole hub. */
export const metricTally = (env: Env, shard: number): DurableObjectStub<MetricTallyRpc> =>
  env.METRIC_TALLY.getByName(objectName("metrics", shard));

/** One for each app that has schedules. */
export const schedules = (env: Env, app: string): DurableObjectStub<SchedulesRpc> =>
  env.SCHEDULES.getByName(objectName("schedules", app));

/** One for each subscription that delivers to an endpoint. */
export const endpointHealth = (env: Env, app: string, subscriptionId: string): EndpointHealthCalls =>
  endpointHealthCalls(env.ENDPOINT_HEALTH.getByName(objectName("health", app, subscriptionId)));
