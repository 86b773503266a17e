/** Apps by name and by id, kept in the isolate for half a minute. */
import { LIMITS } from "../core/limits.ts";
import { AppsStore, type AppRecord } from "../store/apps-store.ts";
import { IsolateCache } from "./isolate-cache.ts";

/** By either: a name has no `_`, and each id has one. */
const cache = new IsolateCache<AppRecord>();
/** Counts what was forgotten, so that a look-up which began before does not bring it back. */
let forgotten = 0;

export const findApp = (db: D1Database, name: string): Promise<AppRecord | null> =>
  look(name, () => new AppsStore(db).find(name));

export const findAppById = (db: D1Database, id: string): Promise<AppRecord | null> =>
  look(id, () => new AppsStore(db).findById(id));

async function look(key: string, read: () => Promise<AppRecord | null>): Promise<AppRecord | null> {
  const known = cache.get(key, Date.now());
  if (known !== undefined) return known;
  const begun = forgotten;
  const app = await read();
  if (app !== null && begun === forgotten) cache.set(key, app, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return app;
}

/** By id: another app may have the name by now. */
export function forgetApp(id: string): void {
  forgotten += 1;
  cache.deleteWhere((app) => app.id === id);
}
