/** The faulty hub in one file, with the plants in it where a run is to catch one of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { REPOSITORY, type Bundle } from "../../harness/bundle.ts";
import { plantBugs } from "../plants/plant-bugs.ts";
import type { Plant } from "../plants/plants.ts";

const ENTRY = join(REPOSITORY, "test", "chaos", "hub", "faulty-hub.ts");

/** The folder is the caller's to remove. */
export async function bundleFaultyHub(plants: readonly Plant[]): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), "tidings-faulty-"));
  try {
    await build({
      entryPoints: [ENTRY],
      outdir: folder,
      bundle: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
      plugins: [plantBugs(plants)],
      logLevel: "silent",
    });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return { folder, file: "faulty-hub.js" };
}
