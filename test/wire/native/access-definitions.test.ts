import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import type { Result } from "../../../src/core/result.ts";
import { parseAppChange, parseAppRequest } from "../../../src/wire/native/app-definition.ts";
import { parseKeyRequest, parseRotation } from "../../../src/wire/native/key-definition.ts";
import { parseRevocationRequest } from "../../../src/wire/native/revocation-request.ts";

const NOW = Date.UTC(2026, 10, 21);
const KEY = { name: "shop", scopes: ["publish:order.*"] };
const PUBLIC_KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }; // RFC 8037, A.2

const keyOf = (value: object) => parseKeyRequest(JSON.stringify(value), NOW);
const pointersOf = (result: Result<unknown>): string[] =>
  result.ok ? [] : (result.failure.errors ?? []).map(({ pointer }) => pointer);
const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
};

describe("the definition of a key", () => {
  it("[ACC-24] needs a name and scopes, and has an answer for the rest", () => {
    expect(valueOf(keyOf(KEY))).toEqual({
      name: "shop",
      app: null,
      isForPusher: false,
      scopes: [{ action: "publish", pattern: "order.*" }],
      expiresAt: null,
      quotas: {},
      tokens: { algorithm: "HS256", isShown: false },
    });
  });

  it("[ACC-24] takes every member, and of a public key only what it needs", () => {
    const given = {
      ...KEY,
      app: "shop",
      expiresAt: "2026-11-22T00:00:00+01:00",
      quotas: { requestsPerSecond: 5, eventsPerDay: 1_000, bytesPerDay: 1, sockets: 2 },
      tokens: { algorithm: "EdDSA", publicKey: { ...PUBLIC_KEY, kid: "mine", use: "sig" } },
    };
    expect(valueOf(keyOf(given))).toMatchObject({
      app: "shop",
      expiresAt: Date.UTC(2026, 10, 21, 23),
      quotas: given.quotas,
      tokens: { algorithm: "EdDSA", publicKey: JSON.stringify(PUBLIC_KEY) },
    });
    expect(valueOf(keyOf({ ...KEY, tokens: { algorithm: "HS256" } })).tokens).toEqual({
      algorithm: "HS256",
      isShown: true,
    });
  });

  it.each<[string, object, string[]]>([
    ["no name", { name: undefined }, ["/name"]],
    ["an empty name", { name: "" }, ["/name"]],
    ["a name too long", { name: "n".repeat(LIMITS.KEY_NAME_CHARS_MAX + 1) }, ["/name"]],
    ["a name with a line break", { name: "a\nb" }, ["/name"]],
    ["a number for a name", { name: 7 }, ["/name"]],
    ["a number for an app", { app: 7 }, ["/app"]],
    ["no scopes", { scopes: undefined }, ["/scopes"]],
    ["an empty list of scopes", { scopes: [] }, ["/scopes"]],
    ["a scope for the scopes", { scopes: "admin" }, ["/scopes"]],
    ["51 scopes", { scopes: Array<string>(51).fill("admin") }, ["/scopes"]],
    ["scopes of too many bytes", { scopes: Array<string>(20).fill(`publish:${"a".repeat(190)}`) }, ["/scopes"]],
    ["wrong scopes among good ones", { scopes: ["admin", "root", "publish:a", 7] }, ["/scopes/1", "/scopes/3"]],
    ["an expiry that is past", { expiresAt: new Date(NOW).toISOString() }, ["/expiresAt"]],
    ["an expiry that is none", { expiresAt: "tomorrow" }, ["/expiresAt"]],
    ["a number for an expiry", { expiresAt: NOW + 1_000 }, ["/expiresAt"]],
    [
      "quotas of 0 and of a half",
      { quotas: { sockets: 0, eventsPerDay: 1.5 } },
      ["/quotas/eventsPerDay", "/quotas/sockets"],
    ],
    ["a quota that is the app's", { quotas: { topics: 5 } }, ["/quotas/topics"]],
    ["a list of quotas", { quotas: [] }, ["/quotas"]],
    ["a member that is not known", { secret: "mine" }, ["/secret"]],
    ["tokens without algorithm", { tokens: {} }, ["/tokens/algorithm"]],
    ["tokens signed with none", { tokens: { algorithm: "none" } }, ["/tokens/algorithm"]],
    ["tokens signed with RS256", { tokens: { algorithm: "RS256" } }, ["/tokens/algorithm"]],
    ["a secret of its own", { tokens: { algorithm: "HS256", secret: "x" } }, ["/tokens/secret"]],
    ["no public key", { tokens: { algorithm: "EdDSA" } }, ["/tokens/publicKey", "/tokens/publicKey"]],
    [
      "a private key",
      {
        tokens: { algorithm: "EdDSA", publicKey: { ...PUBLIC_KEY, d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" } },
      },
      ["/tokens/publicKey/d"],
    ],
    [
      "a key of another curve",
      { tokens: { algorithm: "EdDSA", publicKey: { ...PUBLIC_KEY, crv: "X25519" } } },
      ["/tokens/publicKey"],
    ],
    [
      "a key with stray bits",
      { tokens: { algorithm: "EdDSA", publicKey: { ...PUBLIC_KEY, x: PUBLIC_KEY.x.slice(0, -1) + "p" } } },
      ["/tokens/publicKey"],
    ],
  ])("[ACC-24] with %s is refused", (_what, more, pointers) => {
    const result = keyOf({ ...KEY, ...more });
    expect(result).toMatchObject({ ok: false, failure: { code: "key_invalid" } });
    expect(pointersOf(result).toSorted()).toEqual(pointers);
  });

  it.each<[string, number]>([
    ["{}", LIMITS.KEY_OVERLAP_MS_DEFAULT],
    ['{"overlap":"0s"}', 0],
    ['{"overlap":"7d"}', LIMITS.KEY_OVERLAP_MS_MAX],
  ])("[ACC-24] %s lets the secret before live on", (text, overlapMs) => {
    expect(parseRotation(text)).toEqual({ ok: true, value: overlapMs });
  });

  it.each(['{"overlap":"8d"}', '{"overlap":"-1s"}', '{"overlap":5}', '{"overlaps":"1s"}', "[]"])(
    "[ACC-24] a rotation of %s is refused",
    (text) => {
      expect(parseRotation(text)).toMatchObject({ ok: false, failure: { code: "key_invalid" } });
    },
  );
});

describe("the definition of an app", () => {
  it("[ACC-17] has a name, and origins and quotas when there are any", () => {
    expect(valueOf(parseAppRequest('{"name":"shop-2"}'))).toEqual({ name: "shop-2", origins: null, quotas: {} });
    const full = { name: "shop", origins: ["https://shop.example"], quotas: { topics: 5, framesPerSecond: 10 } };
    expect(valueOf(parseAppRequest(JSON.stringify(full)))).toEqual(full);
    expect(valueOf(parseAppRequest('{"name":"shop","origins":[]}')).origins).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ["no name", { name: undefined }, ["/name"]],
    ["an upper-case name", { name: "Shop" }, ["/name"]],
    ["an id for a name", { name: "app_default" }, ["/name"]],
    ["a dash in front", { name: "-shop" }, ["/name"]],
    ["a name of 64 characters", { name: "s".repeat(64) }, ["/name"]],
    ["a line break behind", { name: "shop\n" }, ["/name"]],
    ["a star for an origin", { origins: ["*"] }, ["/origins/0"]],
    ["a path behind an origin", { origins: ["https://a.example", "https://b.example/"] }, ["/origins/1"]],
    ["101 origins", { origins: Array<string>(101).fill("https://a.example") }, ["/origins"]],
    ["an origin for origins", { origins: "https://a.example" }, ["/origins"]],
    ["a quota below 1", { quotas: { topics: 0 } }, ["/quotas/topics"]],
    ["a quota that is none", { quotas: { events: 5 } }, ["/quotas/events"]],
    [
      "__proto__ among the quotas",
      JSON.parse('{"quotas":{"__proto__":{"topics":1}}}') as object,
      ["/quotas/__proto__"],
    ],
    ["an id", { id: "app_default" }, ["/id"]],
  ])("[ACC-24] with %s is refused", (_what, more, pointers) => {
    const result = parseAppRequest(JSON.stringify({ name: "shop", ...more }));
    expect(result).toMatchObject({ ok: false, failure: { code: "app_invalid" } });
    expect(pointersOf(result)).toEqual(pointers);
  });

  it("[ACC-17] changes what is named: null takes it away, absence leaves it", () => {
    expect(valueOf(parseAppChange("{}"))).toEqual({});
    expect(valueOf(parseAppChange('{"origins":null}'))).toEqual({ origins: null });
    expect(valueOf(parseAppChange('{"quotas":null}'))).toEqual({ quotas: {} });
    expect(valueOf(parseAppChange('{"quotas":{"sockets":1}}'))).toEqual({ quotas: { sockets: 1 } });
    expect(pointersOf(parseAppChange('{"name":"other"}'))).toEqual(["/name"]);
  });
});

describe("a revocation that is asked for", () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  it.each<[string, string, string]>([
    ['{"user":"ünal"}', "user", "ünal"],
    ['{"token":"t-1"}', "token", "t-1"],
    ['{"token":"a.b.c"}', "token", "a.b.c"],
    [`{"token":"${encode({ alg: "HS256" })}.${encode({ jti: "t-2", user_data: "é" })}.c2ln"}`, "token", "t-2"],
    ['{"key":"0123456789AB"}', "key", "0123456789AB"],
    ['{"key":"root","user":null}', "key", "root"],
  ])("[ACC-9] %s names one subject", (text, kind, subject) => {
    expect(valueOf(parseRevocationRequest(text))).toEqual({ kind, subject });
  });

  it.each([
    "{}",
    '{"user":"a","key":"b"}',
    '{"user":""}',
    '{"user":7}',
    `{"user":"${"é".repeat(129)}"}`,
    `{"token":"${"t".repeat(257)}"}`,
    `{"token":"${encode({ alg: "HS256" })}.${encode({ jti: "" })}.c2ln"}`,
    '{"app":"shop"}',
    '["user"]',
  ])("[ACC-24] %s names none, or more", (text) => {
    expect(parseRevocationRequest(text)).toMatchObject({ ok: false, failure: { code: "revocation_invalid" } });
  });
});
