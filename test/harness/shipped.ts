/**
 * What ships beside the code, as Miniflare takes it: the Worker's settings and the statements that make the database.
 * Wrangler reads them once for each content, and they are kept with the bundles: loading it takes a second of a test file.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { unstable_getMiniflareWorkerOptions } from "wrangler";
import { CACHE, hashOfFiles, HUB_CONFIG, REPOSITORY } from "./bundle.ts";

type WorkerOptions = ReturnType<typeof unstable_getMiniflareWorkerOptions>["workerOptions"];

export interface Shipped {
  /** Without the paths: what is run is the finished bundle, not the sources. */
  readonly settings: Omit<WorkerOptions, "rootPath" | "modulesRules">;
  /** In order. */
  readonly migrations: readonly { readonly name: string; readonly statements: readonly string[] }[];
}

let shipped: Promise<Shipped> | null = null;

export const readShipped = (): Promise<Shipped> => (shipped ??= readOnce());

async function readOnce(): Promise<Shipped> {
  const names = readdirSync(join(REPOSITORY, "migrations"))
    .filter((file) => file.endsWith(".sql"))
    .toSorted();
  const migrations = names.map((name) => join("migrations", name));
  const path = join(CACHE, `shipped-${hashOfFiles([HUB_CONFIG, "package-lock.json", ...migrations])}.json`);
  if (!existsSync(path)) await write(path, names);
  return JSON.parse(readFileSync(path, "utf8")) as Shipped;
}

/** Two test files may do so at once: each into a file of its own, and the rename decides. */
async function write(path: string, names: readonly string[]): Promise<void> {
  const { unstable_getMiniflareWorkerOptions: readOptions, unstable_splitSqlQuery: split } = await import("wrangler");
  const { workerOptions } = readOptions(join(REPOSITORY, HUB_CONFIG));
  const { rootPath: _rootPath, modulesRules: _modulesRules, ...settings } = workerOptions;
  const migrations = names.map((name) => ({
    name,
    statements: split(readFileSync(join(REPOSITORY, "migrations", name), "utf8")),
  }));
  mkdirSync(CACHE, { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ settings, migrations } satisfies Shipped));
  renameSync(draft, path);
}
