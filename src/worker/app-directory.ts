/** Apps by name, kept in the isolate for half a minute. */
import { LIMITS } from "../core/limits.ts";
import { AppsStore, type AppRecord } from "../store/apps-store.ts";
import { IsolateCache } from "./isolate-cache.ts";

const cache = new IsolateCache<AppRecord>();
/** Counts what was forgotten, so that a look-up which began before does not bring it back. */
let forgotten = 0;

export async function findApp(db: D1Database, name: string): Promise<AppRecord | null> {
  const known = cache.get(name, Date.now());
  if (known !== undefined) return known;
  const begun = forgotten;
  const app = await new AppsStore(db).find(name);
  if (app !== null && begun === forgotten) cache.set(name, app, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return app;
}

/** By id: another app may have the name by now. */
export function forgetApp(id: string): void {
  forgotten += 1;
  cache.deleteWhere((app) => app.id === id);
}
