/** Pusher's protocol 7. What it has no word for is not said: cursors, receipts, that a reader is level. */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { parseClientFrame, PING_FRAME, USER_CHANNEL } from "../../wire/pusher/client-frames.ts";
import { closeCodeOf } from "../../wire/pusher/failures.ts";
import {
  formatCacheMiss,
  formatClientEvent,
  formatError,
  formatEstablished,
  formatEvent,
  formatGap,
  formatMemberChange,
  formatSubscribed,
  formatSubscribedWithMembers,
  formatSubscriptionError,
  formatWatchlistEvents,
  PONG_FRAME,
  PROBE_FRAME,
} from "../../wire/pusher/hub-frames.ts";
import type { Dialect } from "./dialect.ts";

export const PUSHER: Dialect = {
  ping: PING_FRAME,
  pong: PONG_FRAME,
  probe: PROBE_FRAME,
  acknowledges: false,
  frameMessagesMax: 1,
  mintConnectionId,
  parse: parseClientFrame,
  join: ([message]) => message!,
  welcome: ({ connection }) => formatEstablished(connection),
  subscribed: (_ref, topic, _cursor, shown) =>
    shown === null ? formatSubscribed(topic) : formatSubscribedWithMembers(topic, shown.members),
  memberChange: formatMemberChange,
  whoIsOnline: formatWatchlistEvents,
  presenceUpdated: () => null,
  event: (topic, _cursor, line) => formatEvent(topic, line),
  clientEvent: formatClientEvent,
  cacheMiss: formatCacheMiss,
  userEvent: (user, line) => formatEvent(USER_CHANNEL + user, line),
  caughtUp: () => null,
  gap: ({ topic, ...notice }) => formatGap(topic, notice),
  // An unsubscribe has no answer; an end that nobody asked for is told as an error of the channel.
  unsubscribed: (ref, topic) => (ref === null ? formatSubscriptionError(topic, { code: "topic_not_found" }) : null),
  published: () => null,
  refreshed: () => null,
  error: formatRefusal,
  closeCode: closeCodeOf,
};

/** A `socket_id`: digits, a dot, digits. Random, so that those of all hubs differ without asking each other. */
function mintConnectionId(): string {
  const [left, right] = crypto.getRandomValues(new Uint32Array(2));
  return `${left}.${right}`;
}

/** What is refused of a channel is told to it. */
function formatRefusal(failure: Failure, message: ClientMessage | null): string {
  const isOfChannel = message?.op === "subscribe" || message?.op === "refused";
  return isOfChannel && typeof message.ref === "string"
    ? formatSubscriptionError(message.ref, failure)
    : formatError(failure);
}
