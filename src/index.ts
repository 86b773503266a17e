/** The platform's door: what the runtime calls, and the classes it makes objects of. No logic. */
import { registerListeners } from "./delivery/listener-registry.ts";
import { registerPublisher } from "./delivery/publisher.ts";
import type { Env } from "./env.ts";
import { listeners } from "./listeners/index.generated.ts";
import { consumeDeadLetters } from "./queues/dead-letters.ts";
import { consumeDeliveries } from "./queues/deliveries.ts";
import { app } from "./worker/app.ts";
import { republish } from "./worker/republish.ts";
import { runScheduled } from "./worker/scheduled.ts";

export { Batch } from "./durable-objects/batch/batch.ts";
export { ChannelHub } from "./durable-objects/channel-hub/channel-hub.ts";
export { EndpointHealth } from "./durable-objects/endpoint-health/endpoint-health.ts";
export { MetricTally } from "./durable-objects/metric-tally/metric-tally.ts";
export { PresenceRoom } from "./durable-objects/presence-room/presence-room.ts";
export { QuotaMeter } from "./durable-objects/quota-meter/quota-meter.ts";
export { Schedules } from "./durable-objects/schedules/schedules.ts";
export { Subscription } from "./durable-objects/subscription/subscription.ts";
export { TopicLog } from "./durable-objects/topic-log/topic-log.ts";
export { WorkerGate } from "./worker/gate.ts";

registerListeners(listeners);
registerPublisher(republish);

export default {
  fetch: app.fetch,
  queue: (batch, env, ctx) =>
    batch.queue === "dead-letters" ? consumeDeadLetters(batch, env, ctx) : consumeDeliveries(batch, env, ctx),
  scheduled: (controller, env) => runScheduled(env, controller.scheduledTime),
} satisfies ExportedHandler<Env>;
