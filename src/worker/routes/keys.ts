/** API keys: made, listed, rotated and revoked by who holds `admin` in their app. A secret is shown once. */
import { Hono } from "hono";
import { isApiKeyId } from "../../core/api-key-text.ts";
import type { AuditAction, AuditEntry } from "../../core/audit.ts";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { makeRevocation, secretSubject, type Revocation } from "../../core/revocation.ts";
import { ApiKeysStore, type KeyRecord } from "../../store/api-keys-store.ts";
import type { AppRecord } from "../../store/apps-store.ts";
import {
  formatKey,
  formatKeyFacts,
  parseKeyRequest,
  parseRotation,
  type KeyRequest,
} from "../../wire/native/key-definition.ts";
import { learn } from "../access/access-changes.ts";
import { markOf, mintKeyId, mintSecret } from "../access/api-key.ts";
import { enforce, enforceSoon } from "../access/revoke.ts";
import { mintTokenKey } from "../access/token-secret.ts";
import { findApp } from "../app-directory.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { mintPusherSecret, type MintedPusherSecret } from "../../pusher-secrets.ts";
import { json, noContent, problem } from "../respond.ts";

export const keyRoutes = new Hono<HubBindings>()
  .get("/keys", listKeys)
  .post("/keys", jsonBody, idempotency, createKey)
  .get("/keys/:key", getKey)
  .delete("/keys/:key", jsonBody, idempotency, deleteKey)
  .post("/keys/:key/rotate", jsonBody, idempotency, rotateKey);

async function listKeys(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  const keys = await new ApiKeysStore(c.env.DB).list(c.var.principal.app, after, limit);
  return json({ items: keys.map(formatKey), cursor: keys.length < limit ? null : keys.at(-1)!.id });
}

async function getKey(c: HubContext): Promise<Response> {
  const key = await findNamed(c);
  return key.ok ? json(formatKey(key.value)) : problem(key.failure);
}

async function createKey(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const request = parseKeyRequest(c.var.body, c.var.receivedAt);
  if (!request.ok) return problem(request.failure);
  const app = await appFor(c, request.value);
  if (!app.ok) return problem(app.failure);

  const id = mintKeyId();
  const { key: text, secretHash } = mintSecret(id);
  const { shown, ...tokenKey } = await mintTokenKey(c.var.config, id, request.value.tokens);
  const pusher = request.value.isForPusher ? await mintPusherSecret(c.var.config, id) : null;
  const { name, scopes, quotas, expiresAt } = request.value;
  const facts = { id, app: app.value, name, scopes, quotas, expiresAt, createdAt: c.var.receivedAt };
  const unused = { previousHash: null, previousUntil: null, previousPusherSecret: null, lastUsedAt: null };
  const key: KeyRecord = { ...facts, ...tokenKey, ...unused, secretHash, pusherSecret: pusher?.sealed ?? null };

  const limit = LIMITS.APP_KEYS_MAX;
  const isMade = await new ApiKeysStore(c.env.DB).insert(key, limit, entryOf(c, "key.created", null, key));
  if (!isMade) return problem({ code: "quota_exceeded", detail: "The app has as many API keys as it may.", limit });
  c.set("showsSecret", true);
  const shownOnce = { key: text, ...(shown !== null && { tokenSecret: shown }), ...shownPusher(key, pusher) };
  return json({ ...formatKey(key), ...shownOnce }, 201);
}

/** With its secret, this once. */
const shownPusher = (key: KeyRecord, minted: MintedPusherSecret | null): object =>
  minted === null ? {} : { pusher: { ...formatKeyFacts(key).pusher, secret: minted.shown } };

/** Of two rotations at once each is told the secret it made: the newest two are good. */
async function rotateKey(c: HubContext): Promise<Response> {
  for (;;) {
    const key = await findNamed(c);
    if (!key.ok) return problem(key.failure);
    const overlapMs = parseRotation(c.var.body === "" ? "{}" : c.var.body);
    if (!overlapMs.ok) return problem(overlapMs.failure);
    const { id, secretHash: previousHash } = key.value;
    const { key: text, secretHash } = mintSecret(id);
    const previousUntil = Date.now() + overlapMs.value;
    const pusher = key.value.pusherSecret === null ? null : await mintPusherSecret(c.var.config, id);
    const pusherSecrets = { pusherSecret: pusher?.sealed ?? null, previousPusherSecret: key.value.pusherSecret };
    const rotated = { ...key.value, ...pusherSecrets, secretHash, previousHash, previousUntil };
    const entry = entryOf(c, "key.rotated", key.value, rotated);
    const ended = secretsEndedBy(key.value, previousUntil, entry.at);
    if (!(await new ApiKeysStore(c.env.DB).rotate(key.value, rotated, ended, entry))) continue;
    learn({ app: key.value.app.id, kind: "changed_key", subject: id, at: entry.at, expiresAt: entry.at });
    await Promise.all(ended.map((secret) => enforceSoon(c.env, secret)));
    c.set("showsSecret", true);
    const { previousUntil: until } = formatKeyFacts(rotated);
    return json({ id, key: text, previousUntil: until, ...shownPusher(rotated, pusher) });
  }
}

/** What the key had before its rotation: the secret of then has its overlap, the one before that ends at once. */
function secretsEndedBy(key: KeyRecord, until: number, now: number): Revocation[] {
  const endOf = (hash: string, at: number): Revocation =>
    makeRevocation(key.app.id, "secret", secretSubject({ key: key.id, secret: markOf(hash) }), at);
  const isOlderGood = key.previousHash !== null && (key.previousUntil ?? 0) > now;
  return [endOf(key.secretHash, until), ...(isOlderGood ? [endOf(key.previousHash!, now)] : [])];
}

async function deleteKey(c: HubContext): Promise<Response> {
  const key = await findNamed(c);
  if (!key.ok) return problem(key.failure);
  const revoked = await revokeKey(c, key.value);
  return revoked.ok ? noContent() : problem(revoked.failure);
}

/** For good: ids are never minted again. Answers when it was. */
export async function revokeKey(c: HubContext, key: KeyRecord): Promise<Result<number>> {
  const entry = entryOf(c, "key.revoked", key, null);
  const revocation = makeRevocation(key.app.id, "key", key.id, entry.at);
  if (!(await new ApiKeysStore(c.env.DB).revoke(revocation, entry))) return fail("key_not_found");
  await enforce(c.env, revocation);
  return ok(revocation.at);
}

/** A key of the credential's app. Who may see none is told so before any is looked up. */
const findNamed = (c: HubContext): Promise<Result<KeyRecord>> => findOwnKey(c, c.req.param("key")!);

export async function findOwnKey(c: HubContext, id: string): Promise<Result<KeyRecord>> {
  if (!isAdmin(c.var.principal)) return fail("scope_missing");
  const key = isApiKeyId(id) ? await new ApiKeysStore(c.env.DB).find(id) : null;
  return key?.app.id === c.var.principal.app ? ok(key) : fail("key_not_found");
}

/** For others than the root key no app is there but their own. */
async function appFor(c: HubContext, { app: name }: KeyRequest): Promise<Result<AppRecord>> {
  if (name === null || name === c.var.app.name) return ok(c.var.app);
  const app = c.var.principal.kind === "root" ? await findApp(c.env.DB, name) : null;
  return app === null ? fail("app_not_found") : ok(app);
}

function entryOf(c: HubContext, action: AuditAction, before: KeyRecord | null, after: KeyRecord | null): AuditEntry {
  const { id, app } = (after ?? before)!;
  const shown = { before: before && formatKeyFacts(before), after: after && formatKeyFacts(after) };
  return { ...auditActorOf(callerOf(c)), app: app.id, action, subject: id, ...shown };
}
