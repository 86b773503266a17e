/** Who may come in, and who has to go: credentials end and are taken back, and a hub takes so many sockets. */
import { ERRORS, type Failure } from "../../core/errors.ts";
import type { Principal, PusherPrincipal, User } from "../../core/principal.ts";
import type { Revocation } from "../../core/revocation.ts";
import { holdsSecret, isInForce, isRevokedBy } from "../../core/revocation.ts";
import { readConfig } from "../../config.ts";
import type { UpgradeRefusal } from "../rpc/channel-hub.ts";
import type { Connection } from "./connection.ts";
import type { HubState } from "./hub-state.ts";

/**
 * Null: it may come in, if it has a place (places.ts). The front door has asked most of it already, but here a
 * revocation is known before the isolate at the door may have heard of it.
 */
export function refuseUpgrade(hub: HubState, principal: Principal, now: number): UpgradeRefusal | null {
  if (hub.connections.size >= readConfig(hub.env).hubSocketsPlan) return { kind: "full" };
  const failure = refusePrincipal(hub, principal, now);
  return failure === null ? null : { kind: "refused", failure };
}

export const refusalResponse = (refusal: UpgradeRefusal): Response =>
  Response.json(refusal, { status: refusal.kind === "full" ? 503 : ERRORS[refusal.failure.code].status });

/** Null while the credential is good. */
export function refusePrincipal(hub: HubState, principal: Principal, now: number): Failure | null {
  const revocation = hub.revocations.covering(principal).find((one) => isInForce(one, now));
  if (revocation !== undefined) return endedBy(principal, revocation);
  return hasEnded(principal, now) ? { code: "credential_expired" } : null;
}

/** A Pusher client has shown no secret: when that of its key changes it comes again, and is let in. */
const endedBy = (principal: Principal, { kind }: Revocation): Failure =>
  kind === "secret" && principal.kind === "pusher" ? { code: "credential_expired" } : { code: "credential_revoked" };

/**
 * As the hub knows it: a secret that a rotation replaced ends with its overlap, also where an isolate that has not
 * heard of that lets it in without an end.
 */
export function boundBySecret(hub: HubState, principal: Principal): Principal {
  const rotation = hub.revocations.covering(principal).find(({ kind }) => kind === "secret");
  return rotation === undefined ? principal : endingAt(principal, rotation.at);
}

export const endingAt = (principal: Principal, at: number): Principal =>
  holdsSecret(principal) ? { ...principal, expiresAt: Math.min(principal.expiresAt ?? at, at) } : principal;

/** Milliseconds; null: never. */
export const endOf = (principal: Principal): number | null => (principal.kind === "root" ? null : principal.expiresAt);

export const hasEnded = (principal: Principal, now: number): boolean => (endOf(principal) ?? Infinity) <= now;

/** From the turn in which it stands in a row and is in force nobody whom it covers is here, and nobody such enters. */
export function revoke(hub: HubState, revocation: Revocation, now: number): void {
  hub.revocations.purge(now);
  hub.revocations.put(revocation);
  for (const connection of hub.connections.values()) {
    if (!bearersOf(hub, connection).some((bearer) => isRevokedBy(bearer, revocation))) continue;
    if (isInForce(revocation, now)) hub.end(connection, endedBy(connection.principal, revocation));
    else hub.authorize(connection, endingAt(connection.principal, revocation.at));
  }
}

/** Whom a connection stands for: who it is, and who the app has signed that it is in single channels. */
function bearersOf(hub: HubState, { id, principal }: Connection): Principal[] {
  if (principal.kind !== "pusher") return [principal];
  return [principal, ...hub.seats.membersOf(id).map((user) => ({ ...principal, user }))];
}

/**
 * Whether the app may have signed, before the user's revocation, that this connection is that user: its client may have
 * kept the signature.
 */
export const isPastUser = (hub: HubState, principal: PusherPrincipal, user: User): boolean =>
  refusePrincipal(hub, { ...principal, user }, Date.now()) !== null;

export function endExpired(hub: HubState, now: number): void {
  for (const connection of hub.connections.values()) {
    if (hasEnded(connection.principal, now)) hub.end(connection, { code: "credential_expired" });
  }
}

/** When the next credential ends; null: none does. */
export function nextEnd(hub: HubState): number | null {
  const ends = [...hub.connections.values()].map(({ principal }) => endOf(principal)).filter((end) => end !== null);
  return ends.length === 0 ? null : ends.reduce((left, right) => Math.min(left, right));
}
