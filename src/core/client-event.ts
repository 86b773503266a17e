/**
 * What clients tell each other on a channel without the hub keeping it: typing, pointers, signals. They go to whoever
 * follows the channel now, in the order of the channel, and may be lost: they have no offset, and no cursor finds them.
 */
import { channelKindOf } from "./channel-kind.ts";
import { members } from "./json-text.ts";
import { fail, ok, type Result } from "./result.ts";
import { announceSystemEvent, type Announcement } from "./system-event.ts";

const PREFIX = "client-";

/** A client event on its way. */
export interface RelayedEvent {
  /** A CloudEvent without a position. */
  readonly line: string;
  /** The connection that sent it, which is not sent it back. */
  readonly sender: string;
  /** Who sent it, on presence channels. */
  readonly user: string | null;
}

/** `kept`: the topic's policy wants such events in the log; nothing was passed on, it is to be published. */
export type RelayAnswer = { readonly kind: "relayed" } | { readonly kind: "kept" };

export const isClientEventType = (type: string): boolean => type.startsWith(PREFIX);

/** `follows`: the connection follows the channel. Fails with `client_event_refused`. */
export function admitClientEvent(topic: string, follows: boolean): Result<null> {
  const { access, encrypted } = channelKindOf(topic);
  if (access === "public")
    return fail("client_event_refused", "Client events go to private and presence channels only.");
  if (encrypted) return fail("client_event_refused", "The hub cannot pass client events on to encrypted channels.");
  return follows ? ok(null) : fail("client_event_refused", "The connection does not follow the channel.");
}

/**
 * What `$system.client-events` is told of one: who sent it, and the event as its readers had it. Without its payload
 * where that is too large or too deep inside another event. `id` is minted once.
 */
export function announceClientEvent({ line, sender, user }: RelayedEvent, channel: string, id: string): Announcement {
  const who = { channel, connection: sender, ...(user !== null && { user }) };
  const { full: told } = announceSystemEvent({
    type: "channel.client_event",
    id,
    source: "/channels",
    subject: channel,
    data: who,
  });
  return { full: withEvent(told, line), bare: withEvent(told, withoutPayload(line)) };
}

/** Put in as text, so that no number or character of a payload is changed: `told` ends with its data. */
const withEvent = (told: string, line: string): string => `${told.slice(0, -2)},"event":${line}}}`;

function withoutPayload(line: string): string {
  const kept = members(line).filter(({ name }) => name !== "data" && name !== "data_base64");
  return `{${kept.map(({ name, raw }) => `${JSON.stringify(name)}:${raw}`).join(",")}}`;
}
