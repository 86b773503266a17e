/** Mirrors wrangler.toml, in its order; the variables and secrets stand last. Beside them: bindings `CONSUMER_…`. */
import type { SubscriptionRpc, TopicLogRpc } from "./durable-objects/rpc.ts";
import type { BatchRpc } from "./durable-objects/rpc/batch.ts";
import type { ChannelHubRpc } from "./durable-objects/rpc/channel-hub.ts";
import type { MetricTallyRpc } from "./durable-objects/rpc/metric-tally.ts";
import type { PresenceRoomRpc } from "./durable-objects/rpc/presence-room.ts";
import type { QuotaMeterRpc } from "./durable-objects/rpc/quota-meter.ts";
import type { SchedulesRpc } from "./durable-objects/rpc/schedules.ts";
import type { DispatchMessage } from "./queues/messages.ts";

export interface Env {
  readonly TOPIC_LOG: DurableObjectNamespace<TopicLogRpc>;
  readonly SUBSCRIPTION: DurableObjectNamespace<SubscriptionRpc>;
  readonly CHANNEL_HUB: DurableObjectNamespace<ChannelHubRpc>;
  readonly QUOTA_METER: DurableObjectNamespace<QuotaMeterRpc>;
  /** Called through `endpointHealth` (stubs.ts) only. */
  readonly ENDPOINT_HEALTH: DurableObjectNamespace;
  readonly PRESENCE_ROOM: DurableObjectNamespace<PresenceRoomRpc>;
  readonly METRIC_TALLY: DurableObjectNamespace<MetricTallyRpc>;
  readonly BATCH: DurableObjectNamespace<BatchRpc>;
  readonly SCHEDULES: DurableObjectNamespace<SchedulesRpc>;
  readonly DB: D1Database;
  readonly DELIVERIES: Queue<DispatchMessage>;
  readonly DEAD_LETTERS: Queue<DispatchMessage>;
  readonly SHIELD?: RateLimit;
  /** Secret. Without it the hub answers 503 `not_configured` to everything but /healthz. */
  readonly ROOT_KEY?: string;
  /** Secret. Seals other secrets at rest; several, separated by commas: the first seals, all of them open. */
  readonly SECRETS_KEY?: string;
  /** "1" lets webhooks go to loopback and private addresses. Local runs only: the deploy script refuses to ship it. */
  readonly ALLOW_PRIVATE_TARGETS?: string;
  /** How many sockets a hub takes before another is made beside it. */
  readonly HUB_SOCKETS_PLAN?: string;
  /** DNS over HTTPS (its JSON form) for the names of webhooks; empty: what they stand for is not looked at. */
  readonly DNS_OVER_HTTPS_URL?: string;
  /** How long a member of a presence channel may be silent, milliseconds; shorter for tests. */
  readonly PRESENCE_SILENCE_MS?: string;
  /** A subscription with so many events to examine is told of on $system.operations; 10,000 where nothing is said. */
  readonly LAG_TOLD_EVENTS?: string;
  /** Likewise one that owes a delivery for so long, milliseconds; 900,000 where nothing is said. */
  readonly STALLED_TOLD_MS?: string;
  /** Likewise a log whose object takes so many bytes; four fifths of what it may where nothing is said. */
  readonly LOG_TOLD_BYTES?: string;
  /** A collector's address, `https://collector.example.com:4318`: spans go to `/v1/traces` there. Empty: nowhere. */
  readonly OTLP_ENDPOINT?: string;
  /** Secret. What the collector asks for, `name=value`, separated by commas. */
  readonly OTLP_HEADERS?: string;
  /** Which part of the publishes that bring no trace begin one: 0 to 1, 0.1 where nothing is said. */
  readonly OTLP_SAMPLE_RATIO?: string;
}
