/**
 * What `tidings/client` exports, for browsers, Node and Workers:
 *
 *     const hub = createHub({ url: "https://hub.example.com", getToken });
 *     for await (const item of hub.subscribe("orders", { from: "earliest" })) …
 */
export { TidingsError, type ClientErrorCode } from "./client-error.ts";
export { defineEvent, type Draft, type EventDefinition, type EventOf, type HubEvent } from "./event-definition.ts";
export {
  createHub,
  type HistoryOptions,
  type HistoryPage,
  type Hub,
  type HubOptions,
  type LaterOptions,
  type PublishOptions,
} from "./hub.ts";
export type { ChannelState, ConnectionState, From } from "./channel.ts";
export type { MemberChange } from "./members.ts";
export type { Gap, Member } from "./messages.ts";
export type { Receipt, ScheduledReceipt } from "./outbox.ts";
export type { StandardSchema } from "./standard-schema.ts";
export type { Item, SubscribeOptions, Subscription } from "./subscription.ts";
export { defineTopic, type Topic } from "./topic-definition.ts";
