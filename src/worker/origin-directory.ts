/**
 * Origins that some app lists, kept in the isolate for half a minute: all that a preflight, which carries no
 * credential, can be held against. Read whole, so that strangers with ever new origins cannot make the hub ask for
 * each.
 */
import { LIMITS } from "../core/limits.ts";
import { OriginsStore } from "../store/origins-store.ts";

let known: ReadonlySet<string> = new Set();
let readAt = -Infinity;

/** One that is listed just now is found within a second; one that is taken away is forgotten in half a minute. */
export async function isListedOrigin(db: D1Database, origin: string): Promise<boolean> {
  const now = Date.now();
  const keepMs = known.has(origin) ? LIMITS.CONFIG_CACHE_MS : LIMITS.ACCESS_REFRESH_MS;
  if (now - readAt >= keepMs) {
    readAt = now;
    known = new Set(await new OriginsStore(db).all());
  }
  return known.has(origin);
}
