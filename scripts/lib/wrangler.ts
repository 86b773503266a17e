/** Runs the pinned wrangler of this repository, quietly: no telemetry, no look-ups, its log files under .wrangler. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { join } from "node:path";

export const REPOSITORY = join(import.meta.dirname, "..", "..");

export const HUB_CONFIG = "wrangler.toml";

const WRANGLER = join(REPOSITORY, "node_modules", "wrangler", "bin", "wrangler.js");

const QUIET = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_LOG_PATH: join(REPOSITORY, ".wrangler", "logs"),
};

/** For runs that must work without a network, an account or a person. */
export const OFFLINE = {
  CI: "1", // Answers the questions that nobody is there to answer.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false", // The local trace store costs a third of the throughput.
};

export function spawnWrangler(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdio: StdioOptions,
  configs: readonly string[] = [HUB_CONFIG],
): ChildProcess {
  // Each file is named because a wrangler.json in a folder above would win otherwise.
  return spawn(process.execPath, [WRANGLER, ...args, ...configs.flatMap((config) => ["-c", config])], {
    cwd: REPOSITORY,
    env: { ...process.env, ...QUIET, ...env },
    stdio,
  });
}

export interface Finished {
  readonly code: number;
  /** Everything that was said, on both streams. */
  readonly output: string;
}

export async function runWrangler(args: readonly string[]): Promise<Finished> {
  const child = spawnWrangler(args, OFFLINE, ["ignore", "pipe", "pipe"]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { code: await exitOf(child), output };
}

/** The exit code; 1 for a child that could not start or died of a signal. */
export const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode ?? 1);
    child.once("error", () => resolve(1));
    child.once("close", (code) => resolve(code ?? 1));
  });
