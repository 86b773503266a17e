/** Writes the client library's package into dist/client: what `tidings/client` and its siblings in package.json lead to. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildClientPackage } from "./lib/client-package.ts";
import { REPOSITORY } from "./lib/wrangler.ts";

const folder = join(REPOSITORY, "dist", "client");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
await buildClientPackage(folder);
