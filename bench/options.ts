/** The command line: `npm run bench -- --quick --only publish,read --strict --control`. */

export interface Options {
  readonly isQuick: boolean;
  /** Names of measures, or what stands before the dash of several; empty: all. */
  readonly only: readonly string[];
  /** A missed target ends with exit code 1. */
  readonly isStrict: boolean;
  /** The yardstick against itself: how far a ratio strays from 1 on this machine when nothing differs. */
  readonly isControl: boolean;
  /** The hub beside what a user would pick instead, rather than beside the yardsticks. */
  readonly isAgainstPeers: boolean;
  /** Writes the figures into docs/benchmarks.md. */
  readonly writesDocs: boolean;
}

const FLAGS = ["--quick", "--strict", "--control", "--peers", "--write-docs"];

export function parseOptions(args: readonly string[]): Options {
  const flags = new Set<string>();
  let only: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index]!;
    if (arg === "--only") {
      index += 1;
      only = (args[index] ?? "").split(",").filter((name) => name !== "");
      if (only.length === 0) throw new Error("--only takes names of measures, with commas between them");
    } else if (FLAGS.includes(arg)) {
      flags.add(arg);
    } else {
      throw new Error(`unknown option ${arg}; there are --only, ${FLAGS.join(", ")}`);
    }
  }
  return checked({
    isQuick: flags.has("--quick"),
    only,
    isStrict: flags.has("--strict"),
    isControl: flags.has("--control"),
    isAgainstPeers: flags.has("--peers"),
    writesDocs: flags.has("--write-docs"),
  });
}

function checked(options: Options): Options {
  const { isControl, isAgainstPeers, writesDocs, only } = options;
  if (isControl && isAgainstPeers) throw new Error("--control is of the yardstick: it knows no --peers");
  if (writesDocs && (isControl || only.length > 0)) throw new Error("--write-docs takes every figure of one run");
  return options;
}

/** Whether `--only` asks for a measure: `publish` means `publish-1` and `publish-100`. */
export const isChosen = (measure: string, only: readonly string[]): boolean =>
  only.length === 0 || only.some((name) => measure === name || measure.startsWith(`${name}-`));
