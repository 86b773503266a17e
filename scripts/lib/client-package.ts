/** The client library as a package: for each of its entries one file of JavaScript and its declarations. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { REPOSITORY } from "./wrangler.ts";

/** By the name under which package.json exports it. */
export const CLIENT_ENTRIES: Readonly<Record<string, string>> = {
  client: "src/client/client.ts",
  batches: "src/client/batches.ts",
  react: "src/client/react.ts",
  testing: "src/testing/test-hub.ts",
};

/** One entry with all it needs, for browsers; `minify` as a page would ship it. */
export async function bundleClient(entry: string, { minify = false } = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(REPOSITORY, entry)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["react"],
    minify,
  });
  return outputFiles[0]!.text;
}

/** Writes `<name>.js` and `types/` into the folder. */
export async function buildClientPackage(folder: string): Promise<void> {
  await writeDeclarations(join(folder, "types"));
  for (const [name, entry] of Object.entries(CLIENT_ENTRIES)) {
    writeFileSync(join(folder, `${name}.js`), await bundleClient(entry));
  }
}

async function writeDeclarations(outDir: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "tidings-types-"));
  const config = join(scratch, "tsconfig.json");
  const options = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(REPOSITORY, "src"),
    outDir,
  };
  const typeRoots = [join(REPOSITORY, "node_modules", "@types"), join(REPOSITORY, "node_modules")];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(REPOSITORY, "tsconfig.json"),
      compilerOptions: { ...options, typeRoots },
      include: [],
      files: Object.values(CLIENT_ENTRIES).map((entry) => join(REPOSITORY, entry)),
    }),
  );
  const tsc = join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", config]).finally(() => rmSync(scratch, { recursive: true }));
}
