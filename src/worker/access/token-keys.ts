/** What signs browser tokens: for the root key a secret derived from it, for an API key its own record's. */
import { base64url, importJWK, type JWK } from "jose";
import { keyringOf, openSecret } from "../../sealing.ts";
import type { Config } from "../../config.ts";
import { assert } from "../../core/assert.ts";
import { ROOT_TOKEN_KEY } from "../../core/principal.ts";
import type { KeyRecord } from "./key-directory.ts";

export interface TokenKey {
  /** `kid`. */
  readonly id: string;
  /** The only one that its tokens may name: a header does not choose how it is checked. */
  readonly algorithm: "HS256" | "EdDSA";
  /** For EdDSA the public half: it signs nothing. */
  readonly key: CryptoKey;
}

/** HKDF (RFC 5869), so that a token that leaks is no sample of the root key at work. */
export async function rootTokenKey({ rootKey }: Config): Promise<TokenKey> {
  assert(rootKey !== null, "nobody is let in before the root key is set");
  const known = rootKeys.get(rootKey);
  if (known !== undefined) return known;
  const material = await crypto.subtle.importKey("raw", encoder.encode(rootKey), "HKDF", false, ["deriveBits"]);
  const info = encoder.encode("tidings browser tokens v1");
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, SECRET_BITS));
  const made: TokenKey = { id: ROOT_TOKEN_KEY, algorithm: "HS256", key: await importSecret(secret) };
  rootKeys.set(rootKey, made);
  return made;
}

/** Null when its secret does not open: the key that sealed it has left the environment. */
export async function tokenKeyOf(config: Config, record: KeyRecord): Promise<TokenKey | null> {
  const known = keysByRecord.get(record);
  if (known !== undefined) return known;
  const key = await importTokenKey(config, record);
  if (key === null) return null;
  const made: TokenKey = { id: record.id, algorithm: record.tokenAlgorithm, key };
  keysByRecord.set(record, made);
  return made;
}

async function importTokenKey(config: Config, record: KeyRecord): Promise<CryptoKey | null> {
  if (record.tokenAlgorithm === "EdDSA")
    return (await importJWK(JSON.parse(record.tokenKey) as JWK, "EdDSA")) as CryptoKey;
  const secret = await openSecret(keyringOf(config), `token:${record.id}`, record.tokenKey);
  return secret === null ? null : importSecret(base64url.decode(secret));
}

const SECRET_BITS = 256;
const encoder = new TextEncoder();
const rootKeys = new Map<string, TokenKey>();

/** As long as the directory keeps the record, so long is its key imported. */
const keysByRecord = new WeakMap<KeyRecord, TokenKey>();

const importSecret = (secret: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
