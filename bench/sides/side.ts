/** One side of a comparison, seen from the client: where it answers, how to speak to it, what it holds in memory. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "../client/http.ts";
import { peerDialects } from "../peers/dialects.ts";
import { bareDialect, hubDialect, signedDialect, sixDialect, tableDialect, type Dialect } from "./dialects.ts";
import type { HostAnswer, HostRequest, SideKind, Tables } from "./messages.ts";

const dialects: Record<SideKind, (token: string) => Dialect> = {
  hub: hubDialect,
  bare: () => bareDialect,
  table: () => tableDialect,
  six: () => sixDialect,
  signed: () => signedDialect,
  engine: hubDialect,
  direct: hubDialect,
  keyed: hubDialect,
  open: hubDialect,
  enforced: hubDialect,
  tree: hubDialect,
  ...peerDialects,
};

type Started = Extract<HostAnswer, { kind: "started" }>;

/** Every host that runs, with the folder of its state. */
const hosts = new Map<ChildProcess, string>();

export class Side {
  readonly kind: SideKind;
  readonly url: string;
  readonly http: HttpClient;
  readonly dialect: Dialect;
  readonly #host: ChildProcess;
  readonly #runtimePid: number;

  static async start(kind: SideKind): Promise<Side> {
    const folder = mkdtempSync(join(tmpdir(), "tidings-bench-"));
    const host = fork(join(import.meta.dirname, "host.ts"), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "inherit", "ipc"], // A side may log; what the bench prints is figures.
    });
    hosts.set(host, folder);
    return new Side(kind, host, (await ask(host, { kind: "start", side: kind, persistTo: folder })) as Started);
  }

  private constructor(kind: SideKind, host: ChildProcess, started: Started) {
    this.kind = kind;
    this.#host = host;
    this.#runtimePid = started.runtimePid;
    this.dialect = dialects[kind](started.token);
    this.url = started.url;
    this.http = new HttpClient(new URL(started.url), this.dialect.headers);
  }

  /** Resident memory of the runtime, in megabytes. */
  get memoryMb(): number {
    const status = readFileSync(`/proc/${this.#runtimePid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) / 1_024;
  }

  async rowsWritten(tables: Tables): Promise<number> {
    const answer = await ask(this.#host, { kind: "rows-written", tables });
    return (answer as Extract<HostAnswer, { kind: "rows-written" }>).rows;
  }
}

/** Ends every runtime that stands, also after a measure that failed half-way. */
export async function stopSides(): Promise<void> {
  for (const [host, folder] of hosts) {
    hosts.delete(host);
    await ask(host, { kind: "stop" });
    host.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

function ask(host: ChildProcess, request: HostRequest): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`the host ended before it answered ${request.kind}`));
    host.once("exit", ended);
    host.once("message", (answer: HostAnswer) => {
      host.off("exit", ended);
      if (answer.kind === "failed") reject(new Error(answer.reason));
      else resolve(answer);
    });
    host.send(request);
  });
}
