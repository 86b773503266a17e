/** A connection says who it is: from then on it is that user's, for as long as it lives. */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { userOf } from "../../core/principal.ts";
import { parseUserData } from "../../wire/pusher/user-data.ts";
import { formatSignedIn } from "../../wire/pusher/hub-frames.ts";
import { refusePrincipal } from "./admission.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import { admitSigned } from "./signed-subscribe.ts";

type SignInMessage = Extract<ClientMessage, { op: "sign_in" }>;

/** Answers a failure to be told, or null when everything was said. Who shows a false signature is sent away. */
export async function signIn(
  hub: HubState,
  alarm: HubAlarm,
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
  if (watchlist.length > 0) return { code: "frame_invalid", detail: "Watchlists are not offered yet." };
  const { principal } = connection;
  const before = userOf(principal);
  if (principal.kind !== "pusher" || (before !== null && before.id !== user.id))
    return { code: "frame_invalid", detail: "The connection is another user's already." };
  const signedIn = { ...principal, user };
  // The user was revoked since the socket came: on another, the app is asked anew whether it may sign in.
  if (refusePrincipal(hub, signedIn, Date.now()) !== null) {
    hub.end(connection, { code: "credential_expired" });
    return null;
  }
  hub.authorize(connection, signedIn);
  connection.send(formatSignedIn(data));
  return null;
}
