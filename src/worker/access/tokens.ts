/**
 * Browser tokens: JWTs that an API key's owner, or the hub for it, has signed. A token may do what both it and its key
 * allow, and ends with whichever ends first. Until its signature is found good nobody learns why it was refused.
 */
import { compactVerify, CompactSign } from "jose";
import { createHash } from "node:crypto";
import type { Config } from "../../config.ts";
import { LIMITS } from "../../core/limits.ts";
import { ROOT_TOKEN_KEY, type TokenPrincipal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { appNameOf, refuseToken, type TokenClaims } from "../../core/token-claims.ts";
import { decodeUtf8 } from "../../core/utf8.ts";
import type { AppRecord } from "../../store/apps-store.ts";
import { formatTokenClaims, parseTokenClaims } from "../../wire/native/token-claims.ts";
import { tokenKeyIdOf } from "../../wire/native/token-header.ts";
import { findApp } from "../app-directory.ts";
import { IsolateCache } from "../isolate-cache.ts";
import type { Authenticated } from "./authenticated.ts";
import { findKey, type KeyRecord, type KeySeeker } from "./key-directory.ts";
import { rootTokenKey, tokenKeyOf, type TokenKey } from "./token-keys.ts";

/**
 * Fails with `token_invalid`, without a word before the signature is found good and with one after it, or with
 * `credential_expired`. Whether it was revoked is for the caller to look at, every time.
 */
export async function verifyToken(
  seeker: KeySeeker,
  config: Config,
  jwt: string,
  now: number,
): Promise<Result<Authenticated>> {
  const digest = createHash("sha256").update(jwt).digest("base64url");
  const known = verifiedByDigest.get(digest, now);
  const keyId = known?.key.id ?? tokenKeyIdOf(jwt);
  const signer = keyId === null ? null : await findSigner(seeker, config, keyId);
  if (signer === null) return fail("token_invalid");
  const claims = known?.key === signer.key ? ok(known.claims) : await readSigned(jwt, signer.key);
  if (!claims.ok) return claims;
  if (known?.key !== signer.key)
    verifiedByDigest.set(digest, { key: signer.key, claims: claims.value }, claims.value.expiresAt);
  return admit(seeker, signer, claims.value, now);
}

interface Signer {
  readonly key: TokenKey;
  /** Null: the hub signed for the root key, and the token says itself for which app. */
  readonly record: KeyRecord | null;
}

async function findSigner(seeker: KeySeeker, config: Config, keyId: string): Promise<Signer | null> {
  if (keyId === ROOT_TOKEN_KEY) return { key: await rootTokenKey(config), record: null };
  const record = await findKey(seeker, keyId);
  const key = record === null ? null : await tokenKeyOf(config, record);
  return key === null ? null : { key, record };
}

async function readSigned(jwt: string, { key, algorithm }: TokenKey): Promise<Result<TokenClaims>> {
  const verified = await compactVerify(jwt, key, { algorithms: [algorithm] }).catch(() => null);
  if (verified === null) return fail("token_invalid");
  const text = decodeUtf8(verified.payload);
  return text === null ? fail("token_invalid", "The claims are not UTF-8.") : parseTokenClaims(text);
}

/** A root token's app is looked up only now: a stranger's token must not make the hub ask its database. */
async function admit(
  seeker: KeySeeker,
  { key, record }: Signer,
  claims: TokenClaims,
  now: number,
): Promise<Result<Authenticated>> {
  const app = record === null ? await findNamedApp(seeker, claims) : record.app;
  if (app === null) return fail("token_invalid", "The audience is no app.");
  const refusal = refuseToken(claims, app.name, now);
  if (refusal !== null) return { ok: false, failure: refusal };
  const endOfKey = record?.expiresAt ?? Number.MAX_SAFE_INTEGER;
  if (endOfKey <= now) return fail("credential_expired");
  const principal: TokenPrincipal = {
    kind: "token",
    app: app.id,
    appName: app.name,
    quotas: app.quotas,
    key: key.id,
    keyQuotas: record?.quotas ?? {},
    token: claims.id,
    user: claims.user,
    scopes: claims.scopes,
    keyScopes: record?.scopes ?? [{ action: "admin" }],
    // The hub's own clock is the one by which revocations are dated. Another's may be ahead.
    issuedAt: record === null ? claims.issuedAt : claims.issuedAt - LIMITS.TOKEN_EARLY_MS_MAX,
    expiresAt: Math.min(claims.expiresAt, endOfKey),
  };
  return ok({ principal, app });
}

async function findNamedApp({ env }: KeySeeker, claims: TokenClaims): Promise<AppRecord | null> {
  const name = appNameOf(claims.audience);
  const app = name === null ? null : await findApp(env.DB, name);
  return app?.id === claims.app ? app : null;
}

/** The claims' data stay the text that they are, so what is signed is the text and not an object. */
export function signToken({ id, algorithm, key }: TokenKey, claims: TokenClaims): Promise<string> {
  const payload = new TextEncoder().encode(formatTokenClaims(claims));
  return new CompactSign(payload).setProtectedHeader({ alg: algorithm, kid: id, typ: "JWT" }).sign(key);
}

interface Verified {
  readonly key: TokenKey;
  readonly claims: TokenClaims;
}

/** A busy browser costs no signature. By digest, so that no token stands in memory. */
const verifiedByDigest = new IsolateCache<Verified>(LIMITS.TOKEN_CACHE_ENTRIES_MAX);
