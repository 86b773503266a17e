/** Credentials that were taken back before their time: what an isolate and a hub must know to refuse them. */
import { LIMITS } from "./limits.ts";
import { ROOT_TOKEN_KEY, type Principal, type TokenPrincipal } from "./principal.ts";

export type RevocationKind = "key" | "user" | "token" | "app";

export interface Revocation {
  readonly app: string;
  readonly kind: RevocationKind;
  /** The id of the key, user, token (`jti`) or app. */
  readonly subject: string;
  /** Milliseconds; what was issued at or before it is refused. */
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
      return principal.kind === "key" || principal.key !== ROOT_TOKEN_KEY || wasIssuedBy(principal, at);
    case "user":
      return principal.kind === "token" && principal.user?.id === subject && wasIssuedBy(principal, at);
    case "token":
      return principal.kind === "token" && principal.token === subject;
  }
}

const wasIssuedBy = ({ issuedAt }: TokenPrincipal, at: number): boolean => issuedAt <= at;
