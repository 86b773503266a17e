/** A connection says who it is: from then on it is that user's, for as long as it lives. */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { userOf } from "../../core/principal.ts";
import { parseUserData } from "../../wire/pusher/user-data.ts";
import { formatSignedIn, formatWatchlistTooLong } from "../../wire/pusher/hub-frames.ts";
import { isPastUser } from "./admission.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { SignedInUsers } from "./signed-in-users.ts";
import { admitSigned } from "./signed-subscribe.ts";

type SignInMessage = Extract<ClientMessage, { op: "sign_in" }>;

/** Answers a failure to be told, or null when everything was said. Who shows a false signature is sent away. */
export async function signIn(
  hub: HubState,
  alarm: HubAlarm,
  users: SignedInUsers,
  connection: Connection,
  { auth, data }: SignInMessage,
): Promise<Failure | null> {
  const signed = await admitSigned(hub, alarm, connection, { kind: "user", data }, auth);
  if (!signed.ok) {
    if (signed.failure.code !== "signature_invalid") return signed.failure;
    hub.end(connection, signed.failure);
    return null;
  }
  const parsed = parseUserData(data);
  if (!parsed.ok) return parsed.failure;
  const { user, watchlist } = parsed.value;
  const { principal } = connection;
  const before = userOf(principal);
  if (principal.kind !== "pusher" || (before !== null && before.id !== user.id))
    return { code: "frame_invalid", detail: "The connection is another user's already." };
  // The user was revoked since the socket came: on another, the app is asked anew whether it may sign in.
  if (isPastUser(hub, principal, user)) {
    hub.end(connection, { code: "credential_expired" });
    return null;
  }
  hub.authorize(connection, { ...principal, user });
  connection.send(formatSignedIn(data));
  const limit = LIMITS.PUSHER_WATCHLIST_USERS_MAX;
  if (watchlist.length > limit) connection.send(formatWatchlistTooLong(watchlist.length));
  users.add(connection, user.id, watchlist.slice(0, limit));
  return null;
}
