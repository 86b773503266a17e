/** Bad requests at the doors of apps, keys, tokens, revocations and the audit log. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const JSON_TYPE = { "content-type": "application/json" };

const post = (at: string, body: unknown, code: ErrorCode): BadRequest => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return bad(`${at} ${text.slice(0, 60)}`, at, code, JSON_TYPE, text);
};

const app = (body: unknown, code: ErrorCode = "app_invalid"): BadRequest => post("POST /v1/apps", body, code);
const change = (body: unknown, code: ErrorCode = "app_invalid"): BadRequest =>
  post("PATCH /v1/apps/default", body, code);

const NAMED = { name: "new-app" };

export const BAD_APPS: readonly BadRequest[] = [
  app("", "json_invalid"),
  app("{", "json_invalid"),
  app("[]"),
  app({}),
  app({ name: 7 }),
  app({ name: "" }),
  app({ name: "-x" }),
  app({ name: "A" }),
  app({ name: "a b" }),
  app({ name: "../x" }),
  app({ name: "x".repeat(LIMITS.APP_NAME_CHARS_MAX + 1) }),
  app({ name: "default" }, "app_conflict"),
  app({ ...NAMED, unheardOf: MARK }),
  app('{"name":"new-app","name":"new-app"}'),
  app('{"name":"new-app","__proto__":{"isRoot":true}}'),
  app({ ...NAMED, origins: "https://shop.example" }),
  app({ ...NAMED, origins: ["*"] }),
  app({ ...NAMED, origins: ["https://*.shop.example"] }),
  app({ ...NAMED, origins: ["https://shop.example/"] }),
  app({ ...NAMED, origins: ["http://shop.example"] }),
  app({ ...NAMED, origins: ["null"] }),
  app({ ...NAMED, origins: [`https://${MARK}@shop.example`] }),
  app({ ...NAMED, origins: Array.from({ length: LIMITS.APP_ORIGINS_MAX + 1 }, (_, at) => `https://s${at}.example`) }),
  app({ ...NAMED, quotas: 7 }),
  app({ ...NAMED, quotas: { topics: 0 } }),
  app({ ...NAMED, quotas: { topics: -1 } }),
  app({ ...NAMED, quotas: { topics: 1.5 } }),
  app({ ...NAMED, quotas: { topics: "9" } }),
  app('{"name":"new-app","quotas":{"topics":1e999}}'),
  app({ ...NAMED, quotas: { unheardOf: 1 } }),
  change({ name: "other" }),
  change({ origins: [7] }),
  change({ quotas: { eventsPerDay: 0 } }),
  post("PATCH /v1/apps/not-there", { origins: [] }, "app_not_found"),
  bad("an app that is not there", `GET /v1/apps/${MARK}`, "app_not_found"),
  bad("the end of an app that is not there", "DELETE /v1/apps/not-there", "app_not_found"),
  bad("the end of the first app", "DELETE /v1/apps/default", "app_reserved"),
  bad("no apps", "GET /v1/apps?limit=0", "parameter_invalid"),
];

const KEY = { name: "backend", scopes: ["publish:**"] };
const key = (body: unknown, code: ErrorCode = "key_invalid"): BadRequest => post("POST /v1/keys", body, code);
const signing = (tokens: unknown): BadRequest => key({ ...KEY, tokens });

const JWK = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };

export const BAD_KEYS: readonly BadRequest[] = [
  key("", "json_invalid"),
  key("[]"),
  key({}),
  key({ ...KEY, name: "" }),
  key({ ...KEY, name: "x".repeat(1_000) }),
  key({ ...KEY, name: "a\u0000b" }),
  key({ name: "backend" }),
  key({ ...KEY, scopes: [] }),
  key({ ...KEY, scopes: "publish:**" }),
  key({ ...KEY, scopes: ["publish"] }),
  key({ ...KEY, scopes: ["everything:**"] }),
  key({ ...KEY, scopes: ["publish:"] }),
  key({ ...KEY, scopes: ["publish:a.**.b"] }),
  key({ ...KEY, scopes: ["admin:**"] }),
  key({ ...KEY, scopes: [`publish:${MARK} `] }),
  key({ ...KEY, scopes: Array.from({ length: LIMITS.CREDENTIAL_SCOPES_MAX + 1 }, (_, at) => `publish:t${at}`) }),
  key({ ...KEY, scopes: Array.from({ length: 40 }, (_, at) => `publish:${"t".repeat(150)}${at}`) }),
  key({ ...KEY, expiresAt: "2020-01-01T00:00:00Z" }),
  key({ ...KEY, expiresAt: "tomorrow" }),
  key({ ...KEY, expiresAt: 1 }),
  key({ ...KEY, quotas: { topics: 1 } }),
  key({ ...KEY, quotas: { eventsPerDay: 0 } }),
  key({ ...KEY, app: "not-there" }, "app_not_found"),
  key({ ...KEY, app: 7 }),
  key({ ...KEY, unheardOf: MARK }),
  signing("HS256"),
  signing({}),
  signing({ algorithm: "none" }),
  signing({ algorithm: "RS256" }),
  signing({ algorithm: "HS256", publicKey: JWK }),
  signing({ algorithm: "EdDSA" }),
  signing({ algorithm: "EdDSA", publicKey: { ...JWK, crv: "X25519" } }),
  signing({ algorithm: "EdDSA", publicKey: { ...JWK, x: "AAAA" } }),
  signing({ algorithm: "EdDSA", publicKey: { ...JWK, d: MARK } }),
  signing({ algorithm: "EdDSA", publicKey: MARK }),
  ...[MARK, "nobody", "x".repeat(2_000), "..%2Fx", "%00"].flatMap((id) => [
    bad(`the key ${id.slice(0, 12)}`, `GET /v1/keys/${id}`, "key_not_found"),
    bad(`the end of the key ${id.slice(0, 12)}`, `DELETE /v1/keys/${id}`, "key_not_found"),
  ]),
  post("POST /v1/keys/nobody/rotate", {}, "key_not_found"),
  bad("no keys", "GET /v1/keys?limit=0", "parameter_invalid"),
];

const token = (body: unknown, code: ErrorCode = "parameter_invalid"): BadRequest => post("POST /v1/tokens", body, code);
const SCOPES = { scopes: ["subscribe:**"] };

export const BAD_TOKENS: readonly BadRequest[] = [
  token("", "json_invalid"),
  token("[]"),
  token({}),
  token({ scopes: [] }),
  token({ scopes: ["admin"] }),
  token({ scopes: [MARK] }),
  token({ ...SCOPES, ttl: "0s" }),
  token({ ...SCOPES, ttl: "61m" }),
  token({ ...SCOPES, ttl: 60 }),
  token({ ...SCOPES, user: MARK }),
  token({ ...SCOPES, user: {} }),
  token({ ...SCOPES, user: { id: "" } }),
  token({ ...SCOPES, user: { id: 7 } }),
  token({ ...SCOPES, user: { id: "é".repeat(LIMITS.USER_ID_BYTES_MAX) } }),
  token({ ...SCOPES, user: { id: "a", data: "x".repeat(LIMITS.USER_DATA_BYTES_MAX + 1) } }),
  token({ ...SCOPES, user: { id: "a", admin: true } }),
  token({ ...SCOPES, aud: "/apps/other" }),
];

const revocation = (body: unknown, code: ErrorCode = "revocation_invalid"): BadRequest =>
  post("POST /v1/revocations", body, code);

export const BAD_REVOCATIONS: readonly BadRequest[] = [
  revocation("", "json_invalid"),
  revocation("[]"),
  revocation({}),
  revocation({ user: "" }),
  revocation({ user: 7 }),
  revocation({ user: "a", token: "b" }),
  revocation({ user: "x".repeat(LIMITS.USER_ID_BYTES_MAX + 1) }),
  revocation({ app: "default" }),
  revocation({ key: MARK }, "key_not_found"),
  ...["limit=0", "order=sideways"].map((query) => bad(query, `GET /v1/audit?${query}`, "parameter_invalid")),
  bad("an audit behind nonsense", `GET /v1/audit?cursor=${MARK}`, "cursor_invalid"),
];

const toUser = (body: unknown, code: ErrorCode = "event_invalid"): BadRequest =>
  post("POST /v1/users/ada/events", body, code);

export const BAD_USER_CALLS: readonly BadRequest[] = [
  toUser("", "json_invalid"),
  toUser("[]"),
  toUser({}),
  toUser({ data: MARK }),
  toUser({ type: 7 }),
  toUser({ type: "" }),
  toUser({ type: "t", topic: MARK }),
  toUser('{"type":"t","type":"t"}'),
  toUser({ type: "t", data: "x".repeat(LIMITS.EVENT_BYTES_MAX) }, "event_too_large"),
  post("POST /v1/users/ada/disconnect", { reason: MARK }, "parameter_invalid"),
  bad("a user without end", `GET /v1/users/${"x".repeat(LIMITS.USER_ID_BYTES_MAX + 1)}`, "parameter_invalid"),
];

/** Credentials that only look like some. */
export const BAD_SECRETS: readonly BadRequest[] = [
  ...[
    `tdg_${"a".repeat(12)}_${"b".repeat(43)}cccccc`,
    "tdg_",
    "tdg___",
    `tdg_${"a".repeat(12)}_${"b".repeat(49)}x`,
    "x".repeat(LIMITS.CREDENTIAL_CHARS_MAX),
  ].map((text) =>
    bad(`the key ${text.slice(0, 20)}`, "GET /v1/topics", "unauthenticated", { authorization: `Bearer ${text}` }),
  ),
  ...["a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"].map((text) =>
    bad(`the token ${text.slice(0, 20)}`, "GET /v1/topics", "token_invalid", { authorization: `Bearer ${text}` }),
  ),
  bad("an endless credential", "GET /v1/topics", "credential_too_large", {
    authorization: `Bearer ${"x".repeat(LIMITS.CREDENTIAL_CHARS_MAX + 1)}`,
  }),
];
