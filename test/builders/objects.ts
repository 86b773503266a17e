/** The bindings of the Worker under test, for tests that run inside the runtime. */
/// <reference types="@cloudflare/vitest-plugin/types" />
/// <reference types="vite/client" />
import { env as bindings } from "cloudflare:workers";
import type { Env } from "../../src/env.ts";

export const env = bindings as unknown as Env;

/** Gives the database its tables. Once a file: each file has a database of its own. */
export async function migrateDatabase(): Promise<void> {
  const files = import.meta.glob<string>("../../migrations/*.sql", { query: "?raw", import: "default", eager: true });
  for (const name of Object.keys(files).toSorted()) {
    const sql = files[name]!.replaceAll(/^\s*--.*$/gm, "");
    for (const statement of sql.split(";").filter((text) => text.trim() !== "")) await env.DB.prepare(statement).run();
  }
}
