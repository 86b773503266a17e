/** API keys: how one is made, and whether one that is shown holds. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import {
  API_KEY_ID_BYTES,
  API_KEY_SECRET_BYTES,
  apiKeyId,
  apiKeySecret,
  formatApiKey,
  type ApiKeyParts,
} from "../../core/api-key-text.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { findKey, mayReadAgain, readKey, type KeyRecord } from "./key-directory.ts";

export interface HeldKey {
  readonly record: KeyRecord;
  /** The mark of the secret that was shown. */
  readonly secret: string;
  /** Milliseconds: the end of the key, or of its overlap when the secret is the one before; null: never. */
  readonly until: number | null;
}

/** A secret that does not fit what the isolate remembers may be newer than that, so D1 is asked once more. */
export async function verifyApiKey(env: Env, key: ApiKeyParts): Promise<Result<HeldKey>> {
  const known = await findKey({ env }, key.id);
  const judged = judgeApiKey(known, key.secret, Date.now());
  if (judged.ok || judged.failure.code !== "unauthenticated") return judged;
  if (known === null || !mayReadAgain(key.id)) return judged;
  return judgeApiKey(await readKey({ env }, key.id), key.secret, Date.now());
}

/** The same work and the same answer whether there is no such key or the secret is wrong. */
export function judgeApiKey(record: KeyRecord | null, secret: string, now: number): Result<HeldKey> {
  const shown = hashSecret(secret);
  const isCurrent = equalHashes(shown, record?.secretHash ?? NOBODYS_HASH);
  const isPrevious = equalHashes(shown, record?.previousHash ?? NOBODYS_HASH);
  if (record === null || (!isCurrent && !isPrevious)) return fail("unauthenticated");
  const overlapEnd = isCurrent ? Infinity : (record.previousUntil ?? 0);
  if (now >= overlapEnd) return fail("unauthenticated");
  const end = record.expiresAt ?? Infinity;
  if (now >= end) return fail("credential_expired");
  const until = Math.min(overlapEnd, end);
  return ok({ record, secret: markOf(shown), until: until === Infinity ? null : until });
}

export interface MintedSecret {
  /** Shown once, never stored. */
  readonly key: string;
  readonly secretHash: string;
}

export const mintKeyId = (): string => apiKeyId(randomBytes(API_KEY_ID_BYTES));

export function mintSecret(id: string): MintedSecret {
  const secret = apiKeySecret(randomBytes(API_KEY_SECRET_BYTES));
  return { key: formatApiKey({ id, secret }), secretHash: hashSecret(secret) };
}

/** The secret has 256 random bits, so there is nothing that a slow hash would protect. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

/** Of the hash of a secret: 96 bits tell it from every other. */
export const markOf = (secretHash: string): string => secretHash.slice(0, 16);

/** What nothing hashes to. */
const NOBODYS_HASH = "-".repeat(43);

const equalHashes = (left: string, right: string): boolean =>
  timingSafeEqual(encoder.encode(left), encoder.encode(right));

const encoder = new TextEncoder();
