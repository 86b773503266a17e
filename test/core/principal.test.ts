import { describe, expect, it } from "vitest";
import {
  allows,
  allowsOnSubscription,
  isAdmin,
  mayTouchSubscriptions,
  principalKey,
  type KeyPrincipal,
  type RootPrincipal,
  type TokenPrincipal,
} from "../../src/core/principal.ts";
import { parseScope, type Scope } from "../../src/core/scope.ts";

const scopes = (...texts: readonly string[]): Scope[] => texts.map((text) => parseScope(text)!);
const inApp = { app: "app_a", appName: "a", quotas: {} };
const root: RootPrincipal = { kind: "root", ...inApp };
const keyWith = (...texts: readonly string[]): KeyPrincipal => ({
  kind: "key",
  ...inApp,
  key: "k",
  secret: "s",
  keyQuotas: {},
  scopes: scopes(...texts),
  expiresAt: null,
});
const tokenWith = (own: readonly string[], keys: readonly string[], user: string | null = "u"): TokenPrincipal => ({
  kind: "token",
  ...inApp,
  key: "k",
  keyQuotas: {},
  token: "t",
  user: user === null ? null : { id: user, data: null },
  scopes: scopes(...own),
  keyScopes: scopes(...keys),
  issuedAt: 0,
  expiresAt: 1,
});

describe("who asks", () => {
  it("[ACC-4] with the root key may do everything", () => {
    expect(allows(root, "publish", "order")).toBe(true);
    expect(allowsOnSubscription(root, "redrive", ["**", "$**"])).toBe(true);
    expect(mayTouchSubscriptions(root, "manage")).toBe(true);
    expect(isAdmin(root)).toBe(true);
  });

  it("[ACC-4] with an API key may do what its scopes name", () => {
    expect(allows(keyWith("publish:order.*"), "publish", "order.created")).toBe(true);
    expect(allows(keyWith("publish:order.*"), "publish", "chat")).toBe(false);
    expect(mayTouchSubscriptions(keyWith("manage:order.*"), "manage")).toBe(true);
    expect(mayTouchSubscriptions(keyWith("manage:order.*"), "redrive")).toBe(false);
    expect(isAdmin(keyWith("admin"))).toBe(true);
    expect(isAdmin(keyWith("manage:**", "redrive:**"))).toBe(false);
    expect(isAdmin(keyWith())).toBe(false);
  });

  it.each<[string[], string[], boolean]>([
    [["publish:**"], ["publish:order.*"], true],
    [["publish:order.*"], ["publish:**"], true],
    [["publish:order.*"], ["admin"], true],
    [["publish:**"], ["publish:chat.*"], false],
    [["publish:chat.*"], ["publish:**"], false],
    [["publish:**"], [], false],
    [[], ["admin"], false],
  ])("[ACC-4] with a token for %j of a key for %j may publish order.created: %s", (own, keys, allowed) => {
    expect(allows(tokenWith(own, keys), "publish", "order.created")).toBe(allowed);
  });

  it("[ACC-4] with a token is no admin because its key is", () => {
    expect(isAdmin(tokenWith(["publish:**"], ["admin"]))).toBe(false);
    expect(mayTouchSubscriptions(tokenWith(["manage:**"], ["publish:**"]), "manage")).toBe(false);
    expect(allowsOnSubscription(tokenWith(["manage:**"], ["manage:order.*"]), "manage", ["chat"])).toBe(false);
  });

  it("[ACC-20] is named apart from all others, and by the user from one token to the next", () => {
    const token = tokenWith([], []);
    expect(principalKey(root)).toBe("root");
    expect(principalKey(keyWith())).toBe("key:k");
    expect(principalKey(token)).toBe("user:k:u");
    expect(principalKey({ ...token, token: "t2" })).toBe(principalKey(token));
    expect(principalKey(tokenWith([], [], null))).toBe("token:k:t");
  });
});
