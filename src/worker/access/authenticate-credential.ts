/** Decides who shows a credential: the root key, an API key or a browser token. For requests and for open sockets. */
import type { Config } from "../../config.ts";
import { parseApiKey, type ApiKeyParts } from "../../core/api-key-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { ROOT_TOKEN_KEY } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { tokenKeyIdOf } from "../../wire/native/token-header.ts";
import { findApp } from "../app-directory.ts";
import { hearOfChanges, revocationOf } from "./access-changes.ts";
import { verifyApiKey } from "./api-key.ts";
import type { Authenticated } from "./authenticated.ts";
import { isKeyCached, noteUse } from "./key-directory.ts";
import { passesShield } from "./shield.ts";
import { verifyToken } from "./tokens.ts";

export interface Shown {
  readonly credential: string;
  /** The app that the request names; null: none. */
  readonly appName: string | null;
  /** Whose failures are counted together: the client's address. */
  readonly client: string;
}

type Background = Pick<ExecutionContext, "waitUntil">;

/**
 * Failures: `unauthenticated` for every API key that does not hold, whyever, `credential_expired`, `credential_revoked`
 * and `token_invalid` for tokens, `app_not_found`, `credential_too_large`, `too_many_failures`.
 */
export async function authenticateCredential(
  env: Env,
  ctx: Background,
  config: Config,
  shown: Shown,
): Promise<Result<Authenticated>> {
  const { credential } = shown;
  const limit = LIMITS.CREDENTIAL_CHARS_MAX;
  if (credential.length > limit) return fail("credential_too_large", undefined, { limit, actual: credential.length });
  if (config.rootKey === null) return fail("not_configured");
  if (equalSecrets(credential, config.rootKey)) return authenticateRoot(env, ctx, shown.appName ?? "default");

  const apiKey = parseApiKey(credential);
  const keyId = apiKey?.id ?? tokenKeyIdOf(credential);
  if (keyId === null) return fail(looksLikeToken(credential) ? "token_invalid" : "unauthenticated");
  await hearOfChanges(env, ctx);
  const isKnown = keyId === ROOT_TOKEN_KEY || isKeyCached(keyId);
  if (!isKnown && !(await passesShield(env, shown.client))) return fail("too_many_failures", undefined, WHEN_SHUT);

  const verified =
    apiKey === null ? await verifyToken({ env }, config, credential, Date.now()) : await holderOf(env, apiKey);
  return verified.ok ? admit(env, ctx, verified.value, shown.appName) : verified;
}

const WHEN_SHUT = { retryAfterSeconds: 10 };

async function authenticateRoot(env: Env, ctx: Background, appName: string): Promise<Result<Authenticated>> {
  await hearOfChanges(env, ctx);
  const app = await findApp(env.DB, appName);
  if (app === null) return fail("app_not_found");
  return ok({ app, principal: { kind: "root", app: app.id, appName, quotas: app.quotas } });
}

async function holderOf(env: Env, apiKey: ApiKeyParts): Promise<Result<Authenticated>> {
  const held = await verifyApiKey(env, apiKey);
  if (!held.ok) return held;
  const { record, secret, until: expiresAt } = held.value;
  const { id: key, app, quotas: keyQuotas, scopes } = record;
  const of = { app: app.id, appName: app.name, quotas: app.quotas };
  return ok({ app, principal: { kind: "key", ...of, key, secret, keyQuotas, scopes, expiresAt } });
}

/** What no credential of its own can tell: whether it was revoked, and whether it is for this app. */
function admit(env: Env, ctx: Background, who: Authenticated, appName: string | null): Result<Authenticated> {
  const { principal } = who;
  if (revocationOf(principal) !== null)
    return fail(principal.kind === "token" ? "credential_revoked" : "unauthenticated");
  if (appName !== null && appName !== who.app.name) return fail("app_not_found");
  if (principal.kind !== "root" && principal.key !== ROOT_TOKEN_KEY) noteUse(env, ctx, principal.key);
  return ok(who);
}

/** Three parts between dots: who shows that is told about tokens, not about keys. */
const looksLikeToken = (credential: string): boolean => /^[^.]+\.[^.]+\.[^.]*$/.test(credential);

/** In constant time for its length, which is no secret. */
function equalSecrets(given: string, expected: string): boolean {
  if (given.length !== expected.length) return false; // An API key or a token: most requests.
  const [left, right] = [encoder.encode(given), encoder.encode(expected)];
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right);
}

const encoder = new TextEncoder();
