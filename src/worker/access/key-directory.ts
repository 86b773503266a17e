/**
 * API keys by id, kept in the isolate for half a minute, those that are not there as well: a busy hub asks D1 for none
 * of them. What changed elsewhere is forgotten when access-changes.ts hears of it.
 */
import { LIMITS } from "../../core/limits.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { ApiKeysStore, type KeyRecord } from "../../store/api-keys-store.ts";
import { IsolateCache } from "../isolate-cache.ts";

export type { KeyRecord };

/** On whose behalf keys are looked up. */
export interface KeySeeker {
  readonly env: Env;
}

const cache = new IsolateCache<KeyRecord | null>();
/** What was forgotten, keys and apps by id, and as the how manieth: a look-up that began before brings it not back. */
const forgotten = new IsolateCache<number>();
let forgottenCount = 0;

/** Null for a key that is not there, not even in part: its app may be gone. */
export async function findKey(c: KeySeeker, id: string): Promise<KeyRecord | null> {
  const known = cache.get(id, Date.now());
  return known === undefined ? readKey(c, id) : known;
}

/** Past the cache: for a secret that does not fit, which a rotation elsewhere would explain. */
export async function readKey(c: KeySeeker, id: string): Promise<KeyRecord | null> {
  const begun = forgottenCount;
  const record = await new ApiKeysStore(c.env.DB).find(id);
  const ids = record === null ? [id] : [id, record.app.id];
  if (!ids.some((one) => wasForgottenSince(begun, one))) cache.set(id, record, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return record;
}

export const isKeyCached = (id: string): boolean => cache.get(id, Date.now()) !== undefined;

export function forgetKey(id: string): void {
  noteForgotten(id);
  cache.delete(id);
}

/** Keys carry their app's quotas and origins. */
export function forgetKeysOf(app: string): void {
  noteForgotten(app);
  cache.deleteWhere((record) => record?.app.id === app);
}

function noteForgotten(id: string): void {
  forgottenCount += 1;
  forgotten.set(id, forgottenCount, Date.now() + LIMITS.CONFIG_CACHE_MS);
}

const wasForgottenSince = (count: number, id: string): boolean => (forgotten.get(id, Date.now()) ?? 0) > count;

const READ_AGAIN_MS = 1_000;
const readAgain = new IsolateCache<true>();

/** Once a second and key, so that wrong secrets cannot be turned into questions to D1. */
export function mayReadAgain(id: string): boolean {
  const now = Date.now();
  if (readAgain.get(id, now) === true) return false;
  readAgain.set(id, true, now + READ_AGAIN_MS);
  return true;
}

const NOTE_USE_MS = 60_000;
const noted = new IsolateCache<true>();

/** Writes down that the key is in use: once a minute and isolate, beside the request. */
export function noteUse(env: Env, ctx: Pick<ExecutionContext, "waitUntil">, id: string): void {
  const now = Date.now();
  if (noted.get(id, now) === true) return;
  noted.set(id, true, now + NOTE_USE_MS);
  const written = new ApiKeysStore(env.DB).noteUse(id, now);
  ctx.waitUntil(written.catch((error: unknown) => logStage("access.note_use_failed", { error: String(error) })));
}
