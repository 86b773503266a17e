/** What a browser token claims (RFC 7519), and whether a token whose signature is good is let in. */
import type { Failure } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { User } from "./principal.ts";
import type { Scope } from "./scope.ts";

export interface TokenClaims {
  readonly issuer: string;
  /** `audienceOf` the app that it is for. */
  readonly audience: string;
  /** The app's id, where the hub signed for the root key: a later app of the same name is another one. */
  readonly app: string | null;
  /** `jti`. */
  readonly id: string;
  readonly user: User | null;
  readonly scopes: readonly Scope[];
  /** Milliseconds, all three. */
  readonly issuedAt: number;
  readonly notBefore: number | null;
  readonly expiresAt: number;
}

export const TOKEN_ISSUER = "tidings";

const AUDIENCE_START = "/apps/";

export const audienceOf = (appName: string): string => `${AUDIENCE_START}${appName}`;

/** The inverse; null for an audience that is no app. */
export const appNameOf = (audience: string): string | null =>
  audience.startsWith(AUDIENCE_START) ? audience.slice(AUDIENCE_START.length) : null;

/** Null: it may come in. Its end is kept to the millisecond, whatever the clocks of those who sign. */
export function refuseToken(claims: TokenClaims, appName: string, now: number): Failure | null {
  const { issuer, audience, issuedAt, notBefore, expiresAt } = claims;
  if (issuer !== TOKEN_ISSUER) return invalid("/iss", `The issuer is "${TOKEN_ISSUER}".`);
  if (audience !== audienceOf(appName)) return invalid("/aud", "The audience is the app of the key that signed it.");
  if (expiresAt <= issuedAt) return invalid("/exp", "A token ends after it was issued.");
  if (expiresAt - issuedAt > LIMITS.TOKEN_LIFE_MS_MAX)
    return {
      ...invalid("/exp", "The token is good for longer than a token may be, in milliseconds."),
      limit: LIMITS.TOKEN_LIFE_MS_MAX,
      actual: expiresAt - issuedAt,
    };
  if (issuedAt > now + LIMITS.TOKEN_EARLY_MS_MAX) return invalid("/iat", "The token was issued in the future.");
  if (notBefore !== null && notBefore > now) return invalid("/nbf", "The token is not good yet.");
  return expiresAt <= now ? { code: "credential_expired" } : null;
}

const invalid = (pointer: string, detail: string): Failure => ({
  code: "token_invalid",
  detail,
  errors: [{ pointer, detail }],
});
