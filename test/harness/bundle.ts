/**
 * The Worker as `wrangler deploy` would upload it, bundled once for each content of src/ and shared by every test file.
 * It tests what ships, and costs a second instead of a second a file.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";

export const REPOSITORY = join(import.meta.dirname, "..", "..");
export const CACHE = join(REPOSITORY, ".wrangler", "test-bundles");
const KEEP_MS = 3_600_000;

const current = new Map<string, Promise<string>>();

/** The hub as it ships. */
const SHIPPED = join("src", "index.ts");
export const HUB_CONFIG = "wrangler.toml";
/** Of Workers that the hub delivers to: they have no bindings. */
const CONSUMER_CONFIG = join("examples", "consumer", "wrangler.toml");

/** A Worker in one file. */
export interface Bundle {
  readonly folder: string;
  readonly file: string;
}

/** The folder that holds the bundle of an entry point (from the repository's root). */
export const bundleHub = (entry = SHIPPED): Promise<string> => bundleOnce(entry, HUB_CONFIG);

export const bundleConsumer = (entry: string): Promise<string> => bundleOnce(entry, CONSUMER_CONFIG);

function bundleOnce(entry: string, config: string): Promise<string> {
  const known = current.get(entry) ?? bundle(entry, config);
  current.set(entry, known);
  return known;
}

/** The bundle's file is named like its entry. */
export const bundledFile = (entry = SHIPPED): string => basename(entry).replace(/\.ts$/, ".js");

async function bundle(entry: string, config: string): Promise<string> {
  const target = join(CACHE, hashOfSources(entry, config));
  if (existsSync(join(target, bundledFile(entry)))) return target;
  mkdirSync(CACHE, { recursive: true });
  dropOldBundles();
  // Two test files may bundle at once: each into a folder of its own, and the rename decides.
  const draft = mkdtempSync(join(CACHE, "draft-"));
  const wrangler = join(REPOSITORY, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [wrangler, "deploy", entry, "--dry-run", "--outdir", draft, "-c", config];
  await promisify(execFile)(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(join(target, bundledFile(entry)))) throw error;
    rmSync(draft, { recursive: true });
  }
  return target;
}

function hashOfSources(entry: string, config: string): string {
  const sources = readdirSync(join(REPOSITORY, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes(".generated."))
    .toSorted();
  return hashOfFiles([entry, ...sources.map((name) => join("src", name)), config, "package-lock.json"]);
}

/** Of what files in the repository hold, and of where that is: what is made of them names it. */
export function hashOfFiles(paths: readonly string[]): string {
  const hash = createHash("sha256").update(`${REPOSITORY}\0`);
  for (const path of paths) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(REPOSITORY, path)))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

function dropOldBundles(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > KEEP_MS) rmSync(path, { recursive: true, force: true });
  }
}
