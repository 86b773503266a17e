import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type {
  KeyPrincipal,
  Principal,
  PusherPrincipal,
  RootPrincipal,
  TokenPrincipal,
} from "../../src/core/principal.ts";
import { isRevokedBy, makeRevocation, type RevocationKind } from "../../src/core/revocation.ts";

const AT = Date.UTC(2026, 10, 21);
const inApp = { app: "app_a", appName: "a", quotas: {} };
const root: RootPrincipal = { kind: "root", ...inApp };
const key: KeyPrincipal = {
  kind: "key",
  ...inApp,
  key: "k1",
  secret: "s1",
  keyQuotas: {},
  scopes: [],
  expiresAt: null,
};
const token: TokenPrincipal = {
  kind: "token",
  ...inApp,
  key: "k1",
  keyQuotas: {},
  token: "t1",
  user: { id: "u1", data: null },
  scopes: [],
  keyScopes: [],
  issuedAt: AT,
  expiresAt: AT + 60_000,
};
const pusher: PusherPrincipal = {
  kind: "pusher",
  ...inApp,
  key: "k1",
  secret: "s1",
  keyQuotas: {},
  scopes: [],
  user: { id: "u1", data: null },
  openedAt: AT,
  expiresAt: null,
};
const later: TokenPrincipal = { ...token, issuedAt: AT + 1 };
const nobodys: TokenPrincipal = { ...token, user: null };
const ofRoot: TokenPrincipal = { ...token, key: "root" };

describe("a revocation", () => {
  it.each<[RevocationKind, string, string, Principal, boolean]>([
    ["key", "k1", "the key", key, true],
    ["key", "k1", "another key", { ...key, key: "k2" }, false],
    ["key", "k1", "a token of the key", token, true],
    ["key", "k1", "a token of the key from after it", later, true],
    ["key", "k1", "a token of another key", { ...token, key: "k2" }, false],
    ["key", "k1", "the root key", root, false],
    ["key", "root", "a token of the root key from before it", ofRoot, true],
    ["key", "root", "a token of the root key from after it", { ...ofRoot, issuedAt: AT + 1 }, false],
    ["key", "root", "the root key itself", root, false],
    ["secret", "k1.s1", "the key that shows it", key, true],
    ["secret", "k1.s1", "the key that shows another", { ...key, secret: "s2" }, false],
    ["secret", "k1.s1", "another key", { ...key, key: "k2" }, false],
    ["secret", "k1.s1", "a token of the key", token, false],
    ["user", "u1", "a token of the user", token, true],
    ["user", "u1", "a token of the user from after it", later, false],
    ["user", "u1", "a token of another user", { ...token, user: { id: "u2", data: null } }, false],
    ["user", "u1", "a token of nobody", nobodys, false],
    ["user", "k1", "a key", key, false],
    ["user", "u1", "a Pusher client whose socket came before it", pusher, true],
    ["user", "u1", "a Pusher client whose socket came after it", { ...pusher, openedAt: AT + 1 }, false],
    ["user", "u1", "a Pusher client that has not signed in", { ...pusher, user: null }, false],
    ["token", "t1", "the token", token, true],
    ["token", "t1", "the token, though its clock runs ahead", later, true],
    ["token", "t1", "another token", { ...token, token: "t2" }, false],
    ["token", "k1", "a key", key, false],
    ["app", "app_a", "a key", key, true],
    ["app", "app_a", "a token", later, true],
    ["app", "app_a", "the root key in that app", root, true],
  ])("[ACC-9] of the %s %s covers %s: %s", (kind, subject, _what, principal, covers) => {
    expect(isRevokedBy(principal, makeRevocation("app_a", kind, subject, AT))).toBe(covers);
    expect(isRevokedBy({ ...principal, app: "app_b" }, makeRevocation("app_a", kind, subject, AT))).toBe(false);
  });

  it("[ACC-10] lasts until no token that it could cover is good", () => {
    const { expiresAt } = makeRevocation("app_a", "user", "u1", AT);
    expect(expiresAt).toBeGreaterThan(AT + LIMITS.TOKEN_EARLY_MS_MAX + LIMITS.TOKEN_LIFE_MS_MAX);
  });
});
