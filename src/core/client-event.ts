/**
 * What clients tell each other on a channel without the hub keeping it: typing, pointers, signals. They go to whoever
 * follows the channel now, in the order of the channel, and may be lost: they have no offset, and no cursor finds them.
 */
import { channelKindOf } from "./channel-kind.ts";
import { fail, ok, type Result } from "./result.ts";

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
