/**
 * Writes src/listeners/index.generated.ts: every file beside it is a listener by its default export. Runs before each
 * bundle (wrangler.toml, [build]) and each type check, so adding a listener is adding a file.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "src", "listeners");
const target = join(folder, "index.generated.ts");

mkdirSync(folder, { recursive: true });
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".ts") && !name.includes(".generated."))
  .toSorted();
const text = [
  ...files.map((name, index) => `import listener${index} from "./${name}";`),
  `\nexport const listeners = [${files.map((_name, index) => `listener${index}`).join(", ")}];\n`,
].join("\n");

// Rewriting the same text would make a watching bundler build for ever.
if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
