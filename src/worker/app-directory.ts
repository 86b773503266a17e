/** App names to minted ids, kept in the isolate: an id is never given to another app, so a hit cannot be wrong. */
import { AppsStore } from "../store/apps-store.ts";

const ENTRIES_MAX = 1_000;
const idsByName = new Map<string, string>();

export async function findApp(db: D1Database, name: string): Promise<string | null> {
  const known = idsByName.get(name);
  if (known !== undefined) return known;
  const id = await new AppsStore(db).findId(name);
  if (id === null) return null;
  if (idsByName.size >= ENTRIES_MAX) idsByName.clear();
  idsByName.set(name, id);
  return id;
}
