import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./wrangler.ts";

/**
 * The folder that the hub serves in local runs: the example's page and what it needs to know. Made anew for each run
 * and never part of the tree, because it holds the root key.
 */
export function prepareDemoPage(port: number, session: { readonly key: string; readonly orders: string }): string {
  const folder = join(REPOSITORY, ".wrangler", "demo-page", String(port));
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(REPOSITORY, "examples", "orders", "page"), folder, { recursive: true });
  writeFileSync(join(folder, "session.json"), JSON.stringify(session));
  return folder;
}
