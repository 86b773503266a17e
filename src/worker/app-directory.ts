/** Apps by name, kept in the isolate for half a minute. */
import { LIMITS } from "../core/limits.ts";
import { AppsStore, type AppRecord } from "../store/apps-store.ts";

const cache = new Map<string, { readonly app: AppRecord; readonly readAt: number }>();

export async function findApp(db: D1Database, name: string): Promise<AppRecord | null> {
  const known = cache.get(name);
  if (known !== undefined && Date.now() - known.readAt < LIMITS.CONFIG_CACHE_MS) return known.app;
  const app = await new AppsStore(db).find(name);
  if (app === null) {
    cache.delete(name);
    return null;
  }
  if (cache.size >= LIMITS.CONFIG_CACHE_ENTRIES_MAX) cache.clear();
  cache.set(name, { app, readAt: Date.now() });
  return app;
}

export const forgetApp = (name: string): boolean => cache.delete(name);
