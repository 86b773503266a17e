/**
 * Keeps the local D1 at the newest migration. Wrangler takes seconds to find out that there is nothing to do, so what
 * was applied is noted in the database's own folder: who deletes the database deletes the note with it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY, runWrangler } from "./wrangler.ts";

export type MigrationState =
  /** No database yet: nobody can be reading it while it is made. */
  "absent" | "behind" | "current";

const databaseFolder = (persistTo: string): string => join(persistTo, "v3", "d1");
const noteOf = (persistTo: string): string => join(databaseFolder(persistTo), "applied-migrations.txt");

export function readMigrationState(persistTo: string): MigrationState {
  if (!existsSync(databaseFolder(persistTo))) return "absent";
  const note = noteOf(persistTo);
  return existsSync(note) && readFileSync(note, "utf8") === wanted() ? "current" : "behind";
}

/** Throws with wrangler's own words when a migration fails. */
export async function migrateLocally(persistTo: string): Promise<void> {
  const { code, output } = await runWrangler(["d1", "migrations", "apply", "DB", "--local", "--persist-to", persistTo]);
  if (code !== 0) throw new Error(`the local database could not be migrated:\n${output.trim()}`);
  writeFileSync(noteOf(persistTo), wanted());
}

/** Migrations are append-only, so their names say it all. */
const wanted = (): string =>
  readdirSync(join(REPOSITORY, "migrations"))
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .join("\n");
