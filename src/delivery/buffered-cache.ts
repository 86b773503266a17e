/** The cache as one delivery sees it: reads go to D1, writes wait for the commit of the delivery's effects. */
import { LIMITS } from "../core/limits.ts";
import { fitsUtf8 } from "../core/utf8.ts";
import { deleteCached, putCached, readCached } from "../store/listener-cache-store.ts";
import type { ListenerCache } from "./define-listener.ts";

export class BufferedCache implements ListenerCache {
  /** In the order in which they were asked for. */
  readonly writes: D1PreparedStatement[] = [];
  readonly #db: D1Database;
  readonly #app: string;

  constructor(db: D1Database, app: string) {
    this.#db = db;
    this.#app = app;
  }

  async get(key: string): Promise<unknown> {
    const value = await readCached(this.#db, this.#app, key, Date.now());
    return value === null ? null : JSON.parse(value);
  }

  put(key: string, value: unknown, ttlSeconds: number): void {
    checkKey(key);
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError("a cached value is something that JSON can say");
    if (!fitsUtf8(text, LIMITS.CACHED_VALUE_BYTES_MAX)) throw new RangeError("a cached value is too large");
    if (!(ttlSeconds > 0 && ttlSeconds < Infinity)) throw new RangeError("a cached value lives for some seconds");
    this.writes.push(putCached(this.#db, this.#app, key, text, Math.ceil(Date.now() + ttlSeconds * 1_000)));
  }

  delete(key: string): void {
    checkKey(key);
    this.writes.push(deleteCached(this.#db, this.#app, key));
  }
}

/** Whoever caches under a key that is none has made a mistake, and the attempt fails with it. */
function checkKey(key: string): void {
  if (key === "" || !fitsUtf8(key, LIMITS.CACHED_KEY_BYTES_MAX)) throw new RangeError("that is no key of the cache");
}
