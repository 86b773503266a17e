/** Puts bugs into the bundle's copy of the sources. Each sleeps until the faulty hub is told its name. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { REPOSITORY } from "../../harness/bundle.ts";
import type { Plant, PlantName, Spoiled } from "./plants.ts";

const SRC = join(REPOSITORY, "src");

export function plantBugs(plants: readonly Plant[]): Plugin {
  return {
    name: "plant-bugs",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        const file = relative(SRC, path).replaceAll("\\", "/");
        const spoiling = plants.flatMap(({ name, spoils }) =>
          spoils.filter((spoiled) => spoiled.file === file).map((spoiled) => ({ name, spoiled })),
        );
        if (spoiling.length === 0) return null;
        const sound = readFileSync(path, "utf8");
        return {
          loader: "ts",
          contents: spoiling.reduce((text, { name, spoiled }) => spoil(text, name, spoiled), sound),
        };
      });
    },
  };
}

/** Throws when the text does not stand there once: the code has moved on, and its plant must follow. */
export function spoil(source: string, name: PlantName, { file, text, kind, bug }: Spoiled): string {
  const found = source.split(text).length - 1;
  if (found !== 1) throw new Error(`the text that ${name} spoils stands ${found} times in src/${file}`);
  const isPlanted = `globalThis.planted === ${JSON.stringify(name)}`;
  const either =
    kind === "expression" ? `(${isPlanted} ? (${bug}) : (${text}))` : `if (${isPlanted}) { ${bug} } else { ${text} }`;
  return source.replace(text, () => either);
}
