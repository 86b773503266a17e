/** Credentials that were taken back before their time: what an isolate and a hub must know to refuse them. */
import { LIMITS } from "./limits.ts";
import { ROOT_TOKEN_KEY, userOf, type KeyPrincipal, type Principal, type PusherPrincipal } from "./principal.ts";

/** `secret`: one that a rotation replaced, which may be good for a while yet; its key stays. */
export type RevocationKind = "key" | "secret" | "user" | "token" | "app";

export interface Revocation {
  readonly app: string;
  readonly kind: RevocationKind;
  /** The id of the key, user, token (`jti`) or app; of a secret, its `secretSubject`. */
  readonly subject: string;
  /** Milliseconds; what was issued at or before it is refused. Of a secret: when it ends, which may be ahead. */
  readonly at: number;
  /** Milliseconds; by then nothing that it could refuse is good any more. */
  readonly expiresAt: number;
}

/** A token may be issued so far ahead of our clock, and lives for an hour from there at most. */
const CLOCK_MARGIN_MS = 300_000;

export const makeRevocation = (app: string, kind: RevocationKind, subject: string, at: number): Revocation => ({
  app,
  kind,
  subject,
  at,
  expiresAt: at + LIMITS.TOKEN_LIFE_MS_MAX + CLOCK_MARGIN_MS,
});

/** Where the revocation of a secret stands. No id and no mark has a dot. */
export const secretSubject = ({ key, secret }: Pick<KeyPrincipal, "key" | "secret">): string => `${key}.${secret}`;

/** What is taken back is so at once, whatever the clocks say; only a secret has its end ahead. */
export const isInForce = ({ kind, at }: Revocation, now: number): boolean => kind !== "secret" || at <= now;

/**
 * Ids of keys, tokens and apps never come again, so whatever bears one is refused; a user and the root key sign in
 * anew, so of theirs only what was issued until then. An app's end is the end of everything in it, whoever holds it.
 */
export function isRevokedBy(principal: Principal, { app, kind, subject, at }: Revocation): boolean {
  if (principal.app !== app) return false;
  switch (kind) {
    case "app":
      return true;
    case "key":
      if (principal.kind === "root" || principal.key !== subject) return false;
      return principal.key !== ROOT_TOKEN_KEY || wasIssuedBy(principal, at);
    case "secret":
      return holdsSecret(principal) && secretSubject(principal) === subject;
    case "user":
      return userOf(principal)?.id === subject && wasIssuedBy(principal, at);
    case "token":
      return principal.kind === "token" && principal.token === subject;
  }
}

/** Those that end with a key's secret. */
export const holdsSecret = (principal: Principal): principal is KeyPrincipal | PusherPrincipal =>
  principal.kind === "key" || principal.kind === "pusher";

/**
 * A key is as old as its id. A Pusher client may keep what signs it in for as long as its socket lives, so it may have
 * got that when the socket came.
 */
function wasIssuedBy(principal: Principal, at: number): boolean {
  if (principal.kind === "token") return principal.issuedAt <= at;
  return principal.kind !== "pusher" || principal.openedAt <= at;
}
