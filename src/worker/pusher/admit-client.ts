/** Who comes by a key's public id alone: a Pusher client, which must show no secret. */
import { isApiKeyId } from "../../core/api-key-text.ts";
import type { PusherPrincipal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Scope } from "../../core/scope.ts";
import { hearOfChanges, revocationOf } from "../access/access-changes.ts";
import { markOf } from "../access/api-key.ts";
import { findKey, isKeyCached, noteUse, type KeyRecord } from "../access/key-directory.ts";
import { passesShield } from "../access/shield.ts";
import type { HubContext } from "../context.ts";
import { spendQuotas } from "../quotas.ts";

/**
 * Fails with `key_not_found` for every key that is not there, not for Pusher, revoked or expired, with
 * `origin_not_allowed`, `too_many_failures`, and as the quotas do.
 */
export async function admitClient(c: HubContext, keyId: string): Promise<Result<PusherPrincipal>> {
  if (c.var.config.rootKey === null) return fail("not_configured");
  const record = await findPusherKey(c, keyId);
  if (!record.ok) return record;
  const principal = principalOf(record.value);
  if (revocationOf(principal) !== null) return fail("key_not_found");
  if (!isFromOwnPage(c, record.value)) return fail("origin_not_allowed");
  const spent = await spendQuotas(c.env, principal, { requestsPerSecond: 1 });
  if (!spent.ok) return spent;
  noteUse(c.env, c.executionCtx, keyId);
  return ok(principal);
}

/** A key that Pusher's libraries may use now. Failures: `key_not_found`, `too_many_failures`. */
export async function findPusherKey(c: HubContext, keyId: string): Promise<Result<KeyRecord>> {
  if (!isApiKeyId(keyId)) return fail("key_not_found");
  await hearOfChanges(c.env, c.executionCtx);
  const client = c.req.header("cf-connecting-ip") ?? "local";
  if (!isKeyCached(keyId) && !(await passesShield(c.env, client))) return fail("too_many_failures");
  const record = await findKey(c, keyId);
  const isGood = record !== null && record.pusherSecret !== null && (record.expiresAt ?? Infinity) > Date.now();
  return isGood ? ok(record) : fail("key_not_found");
}

const principalOf = (record: KeyRecord): PusherPrincipal => ({
  kind: "pusher",
  app: record.app.id,
  appName: record.app.name,
  quotas: record.app.quotas,
  key: record.id,
  secret: markOf(record.secretHash),
  keyQuotas: record.quotas,
  scopes: clientScopes(record.scopes),
  user: null,
  openedAt: Date.now(),
  expiresAt: record.expiresAt,
});

/** What clients may do at all: the id is public, so nothing that manages, and of `admin` only this. */
function clientScopes(scopes: readonly Scope[]): readonly Scope[] {
  if (scopes.some(({ action }) => action === "admin"))
    return CLIENT_ACTIONS.map((action) => ({ action, pattern: "**" }));
  return scopes.filter(({ action }) => CLIENT_ACTIONS.some((allowed) => allowed === action));
}

const CLIENT_ACTIONS = ["subscribe", "publish", "presence"] as const;

/** As for browser tokens: where the app lists origins, only their pages. */
const isFromOwnPage = (c: HubContext, { app }: KeyRecord): boolean =>
  app.origins === null || app.origins.includes(c.req.header("origin") ?? "");
