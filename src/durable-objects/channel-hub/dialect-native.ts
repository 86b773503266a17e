/** The hub's own protocol, `tidings.v1`. */
import { ERRORS } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { parseClientFrame, PING_FRAME } from "../../wire/native/client-frames.ts";
import {
  formatCaughtUp,
  formatClientEvent,
  formatError,
  formatEvent,
  formatGap,
  formatMemberChange,
  formatPresenceUpdated,
  formatPublished,
  formatRefreshed,
  formatSubscribed,
  formatUnsubscribed,
  formatUserEvent,
  formatWelcome,
  joinFrames,
  PONG_FRAME,
} from "../../wire/native/hub-frames.ts";
import type { Dialect } from "./dialect.ts";

export const NATIVE: Dialect = {
  ping: PING_FRAME,
  pong: PONG_FRAME,
  probe: PING_FRAME,
  acknowledges: true,
  frameMessagesMax: LIMITS.FRAME_MESSAGES_MAX,
  mintConnectionId: () => crypto.randomUUID(),
  parse: parseClientFrame,
  join: joinFrames,
  welcome: formatWelcome,
  subscribed: formatSubscribed,
  memberChange: formatMemberChange,
  whoIsOnline: () => null, // Nobody signs in on a socket of this protocol.
  presenceUpdated: formatPresenceUpdated,
  event: formatEvent,
  clientEvent: formatClientEvent,
  cacheMiss: () => null, // `caught_up` without an event before it says so.
  caughtUp: formatCaughtUp,
  gap: formatGap,
  unsubscribed: formatUnsubscribed,
  published: formatPublished,
  refreshed: formatRefreshed,
  userEvent: (_user, line) => formatUserEvent(line),
  error: (failure, message) => formatError(message !== null && "ref" in message ? message.ref : null, failure),
  closeCode: ({ code }) => ERRORS[code].close,
};
