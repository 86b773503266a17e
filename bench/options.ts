/** The command line: `npm run bench -- --quick --only publish,read --strict --control`. */

export interface Options {
  readonly isQuick: boolean;
  /** Names of measures, or what stands before the dash of several; empty: all. */
  readonly only: readonly string[];
  /** A missed target ends with exit code 1. */
  readonly isStrict: boolean;
  /** The yardstick against itself: how far a ratio strays from 1 on this machine when nothing differs. */
  readonly isControl: boolean;
}

export function parseOptions(args: readonly string[]): Options {
  const flags = new Set<string>();
  let only: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index]!;
    if (arg === "--only") {
      index += 1;
      only = (args[index] ?? "").split(",").filter((name) => name !== "");
      if (only.length === 0) throw new Error("--only takes names of measures, with commas between them");
    } else if (["--quick", "--strict", "--control"].includes(arg)) {
      flags.add(arg);
    } else {
      throw new Error(`unknown option ${arg}; there are --quick, --only, --strict and --control`);
    }
  }
  return { isQuick: flags.has("--quick"), only, isStrict: flags.has("--strict"), isControl: flags.has("--control") };
}

/** Whether `--only` asks for a measure: `publish` means `publish-1` and `publish-100`. */
export const isChosen = (measure: string, only: readonly string[]): boolean =>
  only.length === 0 || only.some((name) => measure === name || measure.startsWith(`${name}-`));
