/** The hub under `wrangler dev`, as one thing that is ready, fails or is stopped. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { DevOptions } from "./dev-options.ts";
import { findFreePort } from "./ports.ts";
import { exitOf, OFFLINE, spawnWrangler } from "./wrangler.ts";

const READY_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 2_000;
const STOP_WITHIN_MS = 5_000;
const POLL_MS = 40;

export interface LocalHub {
  /** Resolves when the hub answers; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Settles when the hub is gone, whoever ended it. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** What makes a local run of the hub. */
export interface Parts {
  /** The folder of files that it serves; null: those of a deployed hub. */
  readonly assets: string | null;
  /** The configurations of the Workers that run together, the hub's first. */
  readonly configs: readonly string[];
}

export async function startLocalHub(options: DevOptions, { assets, configs }: Parts): Promise<LocalHub> {
  const child = spawnWrangler(
    [
      "dev",
      "--ip",
      "127.0.0.1",
      "--port",
      String(options.port),
      "--inspector-port",
      String(await findFreePort()),
      "--persist-to",
      options.persistTo,
      "--show-interactive-dev-session=false",
      "--log-level",
      options.verbose ? "log" : "error",
      "--var",
      `ROOT_KEY:${options.rootKey}`,
      "--var",
      `ALLOW_PRIVATE_TARGETS:${options.allowPrivateTargets}`,
      ...(assets === null ? [] : ["--assets", assets]),
    ],
    OFFLINE,
    ["ignore", "pipe", "pipe"],
    configs,
  );
  forward(child);
  const ended = exitOf(child);
  return { ready: answers(options.port, ended), ended, stop: () => stop(child, ended) };
}

/** Wrangler surrounds its lines with empty ones and announces itself; what remains is the hub's. */
const NOISE = /^\s*$|^\s*🪵|\[wrangler:info\] Ready on/u;

function forward(child: ChildProcess): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      if (!NOISE.test(line)) console.error(line);
    });
  }
}

async function answers(port: number, ended: Promise<number>): Promise<void> {
  const over = ended.then(() => {
    throw new Error("the hub ended before it was ready");
  });
  await Promise.race([over, poll(`http://127.0.0.1:${port}/healthz`)]);
}

async function poll(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    // A request that came before the first build waits for it, however long that takes.
    const up = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw new Error(`the hub did not answer within ${READY_WITHIN_MS / 1_000} s`);
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}
