/** Apps, keys, tokens, revocations and the audit log. */
import { LIMITS } from "../../core/limits.ts";
import { APP_QUOTAS, KEY_QUOTAS, type QuotaName } from "../../core/quotas.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  DURATION,
  FLAG,
  listOf,
  mapOf,
  matching,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const quotas = (names: readonly QuotaName[]) => taken({}, Object.fromEntries(names.map((name) => [name, whole(1)])));

const ORIGINS = listOf(text({ minLength: 1 }), { maxItems: LIMITS.APP_ORIGINS_MAX });
const SCOPE = matching(/^(admin|(publish|subscribe|presence|history|manage|redrive):.+)$/, {
  examples: ["publish:order.*"],
});
const SCOPES = listOf(SCOPE, { minItems: 1, maxItems: LIMITS.CREDENTIAL_SCOPES_MAX });
const NARROW_SCOPE = matching(/^(publish|subscribe|presence|history|manage|redrive):.+$/);
const PUSHER = shown({ appId: text(), key: text() }, { secret: text() });

export const ACCESS_SHAPES = {
  AppRequest: taken({ name: matching(/^[a-z0-9][a-z0-9-]{0,62}$/) }, { origins: ORIGINS, quotas: quotas(APP_QUOTAS) }),
  AppChange: taken({}, { origins: ORIGINS, quotas: quotas(APP_QUOTAS) }),
  App: shown({ name: text(), origins: orNull(listOf(text())), quotas: mapOf(whole(1)), createdAt: TIME }),
  KeyRequest: taken(
    { name: shortText(LIMITS.KEY_NAME_CHARS_MAX, { minLength: 1 }), scopes: SCOPES },
    {
      app: shortText(LIMITS.APP_NAME_CHARS_MAX),
      expiresAt: TIME,
      quotas: quotas(KEY_QUOTAS),
      tokens: {
        anyOf: [
          taken({ algorithm: { const: "HS256" } }),
          taken({
            algorithm: { const: "EdDSA" },
            publicKey: mapOf(ANYTHING, {
              properties: { kty: { const: "OKP" }, crv: { const: "Ed25519" }, x: text({ minLength: 43 }), d: false },
              required: ["kty", "crv", "x"],
            }),
          }),
        ],
      },
      pusher: FLAG,
    },
    { examples: [{ name: "backend", scopes: ["publish:order.*"] }] },
  ),
  Key: shown(
    {
      id: text(),
      name: text(),
      scopes: listOf(text()),
      quotas: mapOf(whole(1)),
      tokens: shown({ algorithm: oneOfTexts("HS256", "EdDSA") }),
      createdAt: TIME,
      expiresAt: orNull(TIME),
      previousUntil: orNull(TIME),
      lastUsedAt: orNull(TIME),
    },
    { pusher: PUSHER },
  ),
  AuditEntry: shown({
    seq: whole(),
    at: TIME,
    actor: text(),
    action: text(),
    subject: text(),
    before: ANYTHING,
    after: ANYTHING,
    request: text(),
  }),
} as const;

const APP = { "application/json": named("App") };

export const ACCESS: RouteGroup = {
  name: "Access",
  says: "Apps, API keys, tokens for browsers, revocations, and who changed what.",
  routes: [
    {
      route: "GET /v1/apps",
      id: "listApps",
      summary: "List the apps",
      scope: "the root key",
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("App")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "POST /v1/apps",
      id: "createApp",
      summary: "Make an app",
      scope: "the root key",
      body: { "application/json": named("AppRequest") },
      isRepeatable: true,
      answers: [{ status: 201, says: "Made.", content: APP }],
      problems: ["app_conflict", "app_invalid"],
    },
    {
      route: "GET /v1/apps/:app",
      id: "getApp",
      summary: "Read an app",
      scope: "the root key",
      answers: [{ status: 200, says: "The app.", content: APP }],
      problems: [],
    },
    {
      route: "PATCH /v1/apps/:app",
      id: "changeApp",
      summary: "Change an app's origins or quotas",
      details: "A member that is there replaces what was; null takes it away.",
      scope: "the root key",
      body: { "application/json": named("AppChange") },
      isRepeatable: true,
      answers: [{ status: 200, says: "Changed, or as it was.", content: APP }],
      problems: ["app_invalid"],
    },
    {
      route: "DELETE /v1/apps/:app",
      id: "deleteApp",
      summary: "End an app with all that is its own",
      scope: "the root key",
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["app_reserved"],
    },
    {
      route: "GET /v1/keys",
      id: "listKeys",
      summary: "List the app's API keys",
      scope: "admin",
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By id.", content: { "application/json": pageOf(named("Key")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "POST /v1/keys",
      id: "createKey",
      summary: "Make an API key; it is shown this once",
      scope: "admin",
      body: { "application/json": named("KeyRequest") },
      isRepeatable: true,
      answers: [
        {
          status: 201,
          says: "Made.",
          content: {
            "application/json": { allOf: [named("Key"), shown({ key: text() }, { tokenSecret: ANYTHING })] },
          },
        },
      ],
      problems: ["key_invalid"],
    },
    {
      route: "GET /v1/keys/:key",
      id: "getKey",
      summary: "Read what a key may do",
      scope: "admin",
      answers: [{ status: 200, says: "The key, without its secret.", content: { "application/json": named("Key") } }],
      problems: ["key_not_found"],
    },
    {
      route: "DELETE /v1/keys/:key",
      id: "revokeKey",
      summary: "Revoke a key for good",
      scope: "admin",
      isRepeatable: true,
      answers: [{ status: 204, says: "Revoked." }],
      problems: ["key_not_found"],
    },
    {
      route: "POST /v1/keys/:key/rotate",
      id: "rotateKey",
      summary: "Give a key another secret; the old one is good for a while",
      scope: "admin",
      body: { "application/json": taken({}, { overlap: DURATION }) },
      isBodyOptional: true,
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "The new secret, this once.",
          content: {
            "application/json": shown({ id: text(), key: text(), previousUntil: orNull(TIME) }, { pusher: PUSHER }),
          },
        },
      ],
      problems: ["key_invalid", "key_not_found"],
    },
    {
      route: "POST /v1/tokens",
      id: "createToken",
      summary: "Sign a token for a browser",
      scope: "the scopes that it is given",
      body: {
        "application/json": taken(
          { scopes: listOf(NARROW_SCOPE, { minItems: 1, maxItems: LIMITS.CREDENTIAL_SCOPES_MAX }) },
          {
            user: taken({ id: shortText(LIMITS.USER_ID_BYTES_MAX, { minLength: 1 }) }, { data: ANYTHING }),
            ttl: DURATION,
          },
          { examples: [{ scopes: ["subscribe:order.*"], user: { id: "ada" }, ttl: "15m" }] },
        ),
      },
      isRepeatable: true,
      answers: [
        {
          status: 201,
          says: "Signed.",
          content: { "application/json": shown({ token: text(), id: text(), expiresAt: TIME }) },
        },
      ],
      problems: ["token_key_not_held"],
    },
    {
      route: "POST /v1/revocations",
      id: "revoke",
      summary: "End a user's, a token's or a key's access at once",
      scope: "admin",
      body: {
        "application/json": {
          anyOf: ["user", "token", "key"].map((kind) => taken({ [kind]: text({ minLength: 1 }) })),
        },
      },
      isRepeatable: true,
      answers: [
        {
          status: 201,
          says: "Revoked: sockets are closed and requests refused.",
          content: { "application/json": shown({ kind: text(), subject: text(), at: TIME }) },
        },
      ],
      problems: ["key_not_found", "revocation_invalid"],
    },
    {
      route: "GET /v1/audit",
      id: "listAudit",
      summary: "List who changed what",
      scope: "admin",
      query: {
        ...LIST_QUERY,
        order: { says: "`desc`: the newest first.", shape: oneOfTexts("asc", "desc") },
        action: { says: "Of one kind, as `topic.created`.", shape: text() },
        subject: { says: "Of one name or id.", shape: text() },
      },
      answers: [
        {
          status: 200,
          says: "In the order of happening.",
          content: { "application/json": pageOf(named("AuditEntry")) },
        },
      ],
      problems: ["cursor_invalid"],
    },
  ],
};
