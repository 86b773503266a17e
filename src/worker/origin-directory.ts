/**
 * Origins that some app lists, kept in the isolate for half a minute: all that a preflight, which carries no
 * credential, can be held against. Read whole, so that strangers with ever new origins cannot make the hub ask for
 * each.
 */
import { LIMITS } from "../core/limits.ts";
import { OriginsStore } from "../store/origins-store.ts";

interface Known {
  readonly origins: ReadonlySet<string>;
  readonly readAt: number;
}

let known: Known | null = null;
/** Of a question whose answer may still be on its way. */
let askedAt = -Infinity;

/**
 * One that is listed just now is found within a second; one that is taken away is forgotten in half a minute. While
 * nothing is known each request asks for itself, so none is refused for want of an answer. Throws when D1 does, unless
 * the origin was listed before.
 */
export async function isListedOrigin(db: D1Database, origin: string): Promise<boolean> {
  const now = Date.now();
  const before = known;
  const wasListed = before?.origins.has(origin) ?? false;
  if (before !== null && now - before.readAt < (wasListed ? LIMITS.CONFIG_CACHE_MS : LIMITS.ACCESS_REFRESH_MS))
    return wasListed;
  if (before !== null && now - askedAt < LIMITS.ACCESS_REFRESH_MS) return wasListed;
  askedAt = now;
  try {
    const origins = new Set(await new OriginsStore(db).all());
    if (known === null || now >= known.readAt) known = { origins, readAt: now };
    return origins.has(origin);
  } catch (error) {
    if (wasListed) return true;
    throw error;
  }
}
