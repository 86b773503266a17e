/** The faulty hub in processes of its own, so that the whole tree can be killed: the parent's side. */
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { ROOT_KEY } from "../../harness/hub.ts";
import type { Bundle } from "../../harness/bundle.ts";
import { isAlive, membersOfSession } from "../../harness/proc.ts";
import { eventually } from "../../harness/wait.ts";
import { CALM, FAULTS_PATH, type Faults } from "./faults.ts";

export interface HubChildOptions {
  readonly bundle: Bundle;
  readonly port: number;
  readonly persistTo: string;
  readonly vars: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly number: number;
  readonly ask: { readonly kind: "kill-runtime" | "cron" } | { readonly kind: "evict"; readonly className: string };
}

export type Told =
  | { readonly kind: "ready"; readonly runtimePid: number }
  | { readonly kind: "done"; readonly number: number; readonly runtimePid: number; readonly error: string | null };

const CHILD = join(import.meta.dirname, "hub-child.ts");
const READY_WITHIN_MS = 60_000;

export class HubTree {
  readonly url: string;
  /** What it printed last, for whoever must find out what went wrong. */
  readonly lines: string[] = [];
  readonly #options: HubChildOptions;
  readonly #hear: (line: string) => void;
  #child: ChildProcess | null = null;
  #runtimePid = 0;
  #faults = CALM;
  #asked = 0;
  readonly #answers = new Map<number, (told: Extract<Told, { kind: "done" }>) => void>();

  /** `hear` is told of each line that it prints. */
  constructor(options: HubChildOptions, hear: (line: string) => void = () => undefined) {
    this.#options = options;
    this.#hear = hear;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  /** Resolves when it answers; what was wrong with its world before is wrong again. */
  async start(): Promise<void> {
    const child = fork(CHILD, [JSON.stringify(this.#options)], { detached: true, silent: true });
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (text) => this.#print(String(text)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the hub is not ready in time")), READY_WITHIN_MS);
      child.on("message", (told: Told) => {
        this.#runtimePid = told.runtimePid;
        if (told.kind === "done") return this.#answers.get(told.number)?.(told);
        clearTimeout(timer);
        resolve();
      });
      child.once("exit", (code) => reject(new Error(`the hub ended with ${code}:\n${this.lines.join("\n")}`)));
    });
    await this.#tellFaults();
  }

  /** With the root key. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${ROOT_KEY}`);
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** What was wrong before goes on being wrong, unless it is named here. */
  async spoil(faults: Partial<Faults>): Promise<void> {
    this.#faults = { ...this.#faults, ...faults };
    await this.#tellFaults();
  }

  get faults(): Faults {
    return this.#faults;
  }

  /** `kill -9` of every process of the tree. */
  async killAll(): Promise<void> {
    const session = this.#child!.pid!;
    this.#child!.removeAllListeners("exit");
    const seen = new Set<number>();
    await eventually(
      () => {
        for (const pid of membersOfSession(session)) {
          seen.add(pid);
          kill(pid, "SIGKILL");
        }
        return [...seen].filter(isAlive).length;
      },
      (left) => left === 0,
      "the whole tree is gone",
    );
    this.#child = null;
  }

  /** Its successor has the same state, and knows of the same faults. */
  async killRuntime(): Promise<void> {
    await this.#ask({ kind: "kill-runtime" });
    await this.#tellFaults();
  }

  /** All objects of a class leave memory; sockets stay. */
  evictAll(className: string): Promise<void> {
    return this.#ask({ kind: "evict", className });
  }

  runCron(): Promise<void> {
    return this.#ask({ kind: "cron" });
  }

  /** The runtime stands still, as a machine does that is out of breath. */
  pause(): void {
    kill(this.#runtimePid, "SIGSTOP");
  }

  resume(): void {
    kill(this.#runtimePid, "SIGCONT");
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await this.killAll();
  }

  async #ask(ask: Asked["ask"]): Promise<void> {
    this.#asked += 1;
    const number = this.#asked;
    const told = await new Promise<Extract<Told, { kind: "done" }>>((resolve) => {
      this.#answers.set(number, resolve);
      this.#child!.send({ number, ask } satisfies Asked);
    });
    this.#answers.delete(number);
    if (told.error !== null) throw new Error(`${ask.kind}: ${told.error}`);
  }

  async #tellFaults(): Promise<void> {
    const init = { method: "POST", body: JSON.stringify(this.#faults) };
    const response = await this.request(FAULTS_PATH, init);
    if (!response.ok) throw new Error(`the faults were answered ${response.status}: ${await response.text()}`);
  }

  #print(text: string): void {
    const lines = text.split("\n").filter((line) => line !== "");
    for (const line of lines) this.#hear(line);
    this.lines.push(...lines);
    this.lines.splice(0, Math.max(0, this.lines.length - LINES_KEPT));
  }
}

const LINES_KEPT = 200;

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It was gone already.
  }
}
