/** How the hub tells of itself: events on its own topics, which users read and subscribe to, and never write. */

/** What becomes of channels: occupied, vacated, how many follow, nothing cached. */
export const CHANNELS_TOPIC = "$system.channels";
/** Who comes to presence channels, and who leaves. */
export const PRESENCE_TOPIC = "$system.presence";
/** What clients say to each other where the topic wants it announced. */
export const CLIENT_EVENTS_TOPIC = "$system.client-events";
/** What the hub does by itself: endpoints that fail and recover, subscriptions that it disables, logs that fill up. */
export const OPERATIONS_TOPIC = "$system.operations";

/** A draft as JSON text; `bare` goes where the log would not take `full`, which may carry more. */
export interface Announcement {
  readonly full: string;
  readonly bare: string;
}

export interface SystemEvent {
  readonly type: string;
  /** Minted once and kept with the row, so that the log takes the event once however often it is told. */
  readonly id: string;
  readonly source: string;
  /** What it is about; also its key, so that `ordering: "key"` keeps the order of each. */
  readonly subject: string;
  readonly data: unknown;
}

export function announceSystemEvent({ type, id, source, subject, data }: SystemEvent): Announcement {
  const text = JSON.stringify({ type, id, source, subject, key: subject, data });
  return { full: text, bare: text };
}
