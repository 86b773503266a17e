/** Who follows a channel, counted over all hubs, and what is told of it on `$system.channels`. */
import { announceSystemEvent, type Announcement } from "./system-event.ts";

/** What one hub says of one channel. A later word has a greater version. */
export interface FollowerCount {
  /** By name. */
  readonly hub: string;
  readonly version: number;
  readonly followers: number;
  /** Somebody began to follow a cache channel that had nothing to send. */
  readonly missed: boolean;
}

export type CountAnswer =
  | { readonly kind: "accepted" }
  /** A later word came before, of that version; the hub's clock may have been ahead then. */
  | { readonly kind: "late"; readonly version: number };

/** One channel as one hub, or all of them, see it. */
export interface ChannelCount {
  readonly channel: string;
  readonly subscriptions: number;
}

/** How seldom the count of a channel is told while it changes. */
export const COUNT_TOLD_EVERY_MS = 5_000;

export type ChannelNews = "channel.occupied" | "channel.vacated" | "channel.subscription_count" | "channel.cache_miss";

/** What the channel has become; null: as many hubs as before or more say so, and it stays what it was. */
export function occupancyChange(before: number, after: number): ChannelNews | null {
  if (before === 0 && after > 0) return "channel.occupied";
  return before > 0 && after === 0 ? "channel.vacated" : null;
}

/** `more`: what there is to say beside the channel's name. */
export const announceChannel = (type: ChannelNews, channel: string, id: string, more: object = {}): Announcement =>
  announceSystemEvent({ type, id, source: "/channels", subject: channel, data: { channel, ...more } });
