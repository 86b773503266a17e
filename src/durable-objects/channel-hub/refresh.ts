/** A fresh credential for an open socket: it must be the same app's and the same user's, and may allow less. */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { allows, userOf, type Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { CredentialEnd } from "../../wire/native/hub-frames.ts";
import { boundBySecret, endOf, refusePrincipal } from "./admission.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";

type RefreshMessage = Extract<ClientMessage, { op: "refresh" }>;

/** Answers a failure to be told, or null when everything was said. A refusal leaves the socket as it is. */
export async function refresh(
  hub: HubState,
  alarm: HubAlarm,
  connection: Connection,
  { ref, token }: RefreshMessage,
): Promise<Failure | null> {
  const fresh = await hub.gate.authenticate(token, connection.id);
  if (!hub.connections.has(connection.id)) return null; // It was ended meanwhile.
  const accepted = fresh.ok ? sameHolder(connection.principal, fresh.value) : fresh;
  if (!accepted.ok) return accepted.failure;
  const principal = boundBySecret(hub, accepted.value);
  const taken = await hub.places.take(principal, connection.principal, () => authorizeOpen(hub, connection, principal));
  if (!taken.ok) return taken.failure;
  if (taken.value !== null || !hub.connections.has(connection.id)) return taken.value;

  alarm.arrange();
  for (const { name } of hub.channelsOf(connection)) {
    if (allows(principal, "subscribe", name)) continue;
    hub.unfollow(connection, name);
    const refusal = { code: "scope_missing", detail: `The fresh token does not allow ${name}.` } as const;
    connection.send(hub.dialect.error(refusal, null));
    connection.send(hub.dialect.unsubscribed(null, name));
  }
  for (const { name } of hub.channelsOf(connection)) {
    if (hub.seats.find(name, connection.id) === null || allows(principal, "presence", name)) continue;
    hub.seats.leave(name, connection.id, 0);
    const detail = `The fresh token does not allow presence in ${name}.`;
    connection.send(hub.dialect.error({ code: "scope_missing", detail }, null));
  }
  connection.send(hub.dialect.refreshed(ref, endShown(principal, Date.now())));
  return null;
}

/** It is counted already, but maybe with another key; and it may have been ended, or taken back, meanwhile. */
function authorizeOpen(hub: HubState, connection: Connection, principal: Principal): Failure | null {
  if (!hub.connections.has(connection.id)) return null;
  const refusal = refusePrincipal(hub, principal, Date.now());
  if (refusal === null) hub.authorize(connection, principal);
  return refusal;
}

/** Null: the credential has no end. */
export function endShown(principal: Principal, now: number): CredentialEnd | null {
  const endsAt = endOf(principal);
  if (endsAt === null) return null;
  return { expiresAt: new Date(endsAt).toISOString(), expiresInSeconds: Math.floor((endsAt - now) / 1_000) };
}

/** Whoever has a socket open cannot turn into somebody else: others were told who is behind it. */
function sameHolder(before: Principal, fresh: Principal): Result<Principal> {
  const isSame = before.kind === fresh.kind && before.app === fresh.app && userOf(before)?.id === userOf(fresh)?.id;
  return isSame ? ok(fresh) : fail("token_invalid", "A fresh token is for the same app and the same user.");
}
