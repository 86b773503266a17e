/** `npm run dev` as a person starts it: a real tree of processes that can be pulled down like a machine's plug. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { REPOSITORY } from "./bundle.ts";
import { isAlive, membersOfSession } from "./proc.ts";
import { eventually } from "./wait.ts";

export const DEV_ROOT_KEY = "dev-root-key";

/** It bundles first, which takes its time on a busy machine. */
const READY_WITHIN_MS = 120_000;

export interface HubProcessOptions {
  readonly port: number;
  readonly persistTo: string;
  /** False starts the example system and its page as well. */
  readonly bare?: boolean;
  /** Configurations of Workers that run beside the hub. */
  readonly consumers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class HubProcess {
  readonly url: string;
  /** Everything it printed, line by line. */
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  /** Resolves at the readiness line. */
  static async start(options: HubProcessOptions): Promise<HubProcess> {
    const hub = new HubProcess(options);
    const ready = eventually(
      () => hub.lines.some((line) => line === `Ready on http://localhost:${options.port}`),
      (seen) => seen,
      "the readiness line",
      READY_WITHIN_MS,
    );
    const early = hub.exited.then((code) => {
      throw new Error(`it ended with ${code} before it was ready`);
    });
    await Promise.race([ready, early]).catch(async (error: Error) => {
      await hub.kill9();
      throw new Error(`${error.message}:\n${hub.lines.join("\n")}`, { cause: error });
    });
    return hub;
  }

  private constructor({ port, persistTo, bare = true, consumers = [], env = {} }: HubProcessOptions) {
    this.url = `http://127.0.0.1:${port}`;
    const beside = consumers.flatMap((config) => ["--consumer", config]);
    const args = ["--port", String(port), "--persist-to", persistTo, ...(bare ? ["--bare"] : []), ...beside];
    // A session of its own, by which the whole tree is found again even when parts of it have lost their parents.
    this.#child = spawn(process.execPath, [join(REPOSITORY, "scripts", "dev.ts"), ...args], {
      cwd: REPOSITORY,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => this.lines.push(line));
    }
    this.exited = new Promise((resolve) => {
      this.#child.once("exit", (code) => resolve(code));
    });
  }

  get pids(): readonly number[] {
    return membersOfSession(this.#child.pid!);
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${DEV_ROOT_KEY}`);
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** `kill -9` of every process of the tree; resolves when none is left. */
  async kill9(): Promise<void> {
    const seen = new Set<number>();
    // Again until nobody is left: one that was being born while we looked is found the next time.
    await eventually(
      () => {
        for (const pid of this.pids) {
          seen.add(pid);
          kill(pid, "SIGKILL");
        }
        return this.pids.length + [...seen].filter(isAlive).length;
      },
      (left) => left === 0,
      "the whole tree is gone",
    );
  }

  /** Ctrl-C: answers with the exit code and with the processes that stayed behind. */
  async stop(): Promise<{ readonly code: number | null; readonly orphans: readonly number[] }> {
    kill(this.#child.pid!, "SIGINT");
    const code = await this.exited;
    const gone = eventually(
      () => this.pids,
      (pids) => pids.length === 0,
      "no orphans",
      3_000,
    );
    const orphans = await gone.catch(() => this.pids);
    for (const pid of orphans) kill(pid, "SIGKILL");
    return { code, orphans };
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It was gone already.
  }
}
