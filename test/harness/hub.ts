/**
 * A real hub for tests: the bundle that would be deployed, in the pinned runtime, behind real HTTP on loopback. Its
 * bindings are read from wrangler.toml, so a test cannot pass on settings that nobody ships.
 */
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, type DurableObjectIdentifier } from "miniflare";
import { bundleConsumer, bundledFile, bundleHub, type Bundle } from "./bundle.ts";
import { usedHeapBytes } from "./heap.ts";
import { childrenOf } from "./proc.ts";
import { readShipped, type Shipped } from "./shipped.ts";
import { TestSocket, type SocketOptions, type WireEvent } from "./socket.ts";
import { eventually } from "./wait.ts";

export const ROOT_KEY = "test-root-key";

export interface HubOptions {
  /** State that outlives the hub; without it everything is gone at `close`. */
  readonly persistTo?: string;
  /** Variables beside ROOT_KEY and ALLOW_PRIVATE_TARGETS; a null takes one of them away. */
  readonly vars?: Readonly<Record<string, string | null>>;
  /** Where every call of the hub to the outside goes, instead of the network. */
  readonly outbound?: Outbound;
  /** Where clients seem to be; without it requests name no continent. */
  readonly continent?: string;
  /** Opens the runtime's inspector, for `heapMegabytes`. */
  readonly inspected?: boolean;
  /** Workers beside the hub, by the binding that leads to each: its entry point, from the repository's root. */
  readonly consumers?: Readonly<Record<string, string>>;
  /** Another entry point than the hub's own, from the repository's root: for the bench. */
  readonly entry?: string;
  /** A bundle that was made elsewhere: for the chaos suite. */
  readonly bundle?: Bundle;
  /** Where it listens; absent: where there is room. */
  readonly port?: number;
  /** Asks the Worker at its own socket, without what a local run puts before it for the platform: for the bench. */
  readonly direct?: boolean;
}

/** Stands for the internet; what it throws, the hub sees as a connection that failed. */
export type Outbound = (request: Request) => Response | Promise<Response>;

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Receipt {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly cursor: string;
  readonly keyVersion?: number;
  readonly duplicate: boolean;
}

export interface Page {
  readonly events: readonly WireEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly gap?: Gap;
}

export interface Gap {
  readonly partition: number;
  readonly requested: number;
  readonly firstHeld: number;
  readonly reason: string;
}

type JsonObject = Record<string, unknown>;

/** Two hubs in one test must not take each other's runtime for their own. */
const runtimes = new Map<Hub, number>();

export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const logs: JsonObject[] = [];
  const hub = await Hub.start(await miniflareOptions(options, logs), logs, options.direct);
  await migrate(await hub.database());
  return hub;
}

export class Hub {
  /** `http://127.0.0.1:PORT`, the same over restarts of the runtime. */
  readonly url: string;
  /** The wide log lines that the hub has written, parsed; other output under `message`. */
  readonly logs: readonly JsonObject[];
  readonly #miniflare: Miniflare;

  static async start(options: MiniflareOptions, logs: readonly JsonObject[], direct = false): Promise<Hub> {
    const miniflare = new Miniflare(options);
    const { origin } = await miniflare.ready;
    const hub = new Hub(miniflare, direct ? (await miniflare.unsafeGetDirectURL(WORKER)).origin : origin, logs);
    hub.#claimRuntime();
    return hub;
  }

  private constructor(miniflare: Miniflare, url: string, logs: readonly JsonObject[]) {
    this.#miniflare = miniflare;
    this.url = url;
    this.logs = logs;
  }

  /** Any request, with the root key unless `init.headers` says otherwise. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${ROOT_KEY}`);
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** Sends a JSON body (when there is one) and reads the answer as JSON. */
  async json<Body = JsonObject>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const init: RequestInit =
      body === undefined
        ? { method, headers }
        : { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
    const response = await this.request(path, init);
    return answerOf<Body>(response);
  }

  /** Publishes drafts as JSON (a string goes as it is). */
  async publish(
    topic: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<{ readonly events: readonly Receipt[] }>> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await this.request(`/v1/topics/${encodeURIComponent(topic)}/events`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: text,
    });
    return answerOf(response);
  }

  async read(topic: string, query: Record<string, string | number> = {}): Promise<Page> {
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const { status, body } = await this.json<Page>("GET", `/v1/topics/${encodeURIComponent(topic)}/events?${search}`);
    if (status !== 200) throw new Error(`read of ${topic} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Every event of a topic, page by page. */
  async readAll(topic: string): Promise<WireEvent[]> {
    const events: WireEvent[] = [];
    let page = await this.read(topic, { limit: 1_000 });
    for (;;) {
      events.push(...page.events);
      if (page.caughtUp) return events;
      page = await this.read(topic, { limit: 1_000, from: `cursor:${page.cursor}` });
    }
  }

  connect(options: SocketOptions = {}): Promise<TestSocket> {
    return TestSocket.open(`${this.url.replace("http", "ws")}/v1/connect?token=${ROOT_KEY}`, options);
  }

  database(): Promise<D1Database> {
    return this.#miniflare.getD1Database("DB") as unknown as Promise<D1Database>;
  }

  /** SQL inside one object, for tests that must see rows. `name` as `stubs.ts` spells it. */
  async rows(className: string, name: string, sql: string): Promise<unknown[]> {
    const storage = await this.#miniflare.unsafeGetDurableObjectStorage(WORKER, className, { name });
    return (await storage.exec(sql)) as unknown as unknown[];
  }

  objectIds(className: string): Promise<string[]> {
    return this.#miniflare.listDurableObjectIds(className, WORKER);
  }

  /** Throws the object out of memory; its sockets hibernate, as in production. Waits for calls under way. */
  evict(className: string, object: string | DurableObjectIdentifier): Promise<void> {
    const identifier = typeof object === "string" ? { name: object } : object;
    return this.#miniflare.unsafeEvictDurableObject(WORKER, className, { ...identifier, webSockets: "hibernate" });
  }

  /** As the loss of the machine that it was on: the object leaves memory and its sockets end. */
  drop(className: string, name: string): Promise<void> {
    return this.#miniflare.unsafeEvictDurableObject(WORKER, className, { name, webSockets: "close" });
  }

  /** Those that sleep by then are out of memory anyway. */
  async evictAll(className: string): Promise<void> {
    const unlessAsleep = (error: Error): void => {
      if (!error.message.includes("not currently running")) throw error;
    };
    for (const id of await this.objectIds(className)) await this.evict(className, { id }).catch(unlessAsleep);
  }

  /** Runs the cron once. */
  async runCron(): Promise<void> {
    const response = await fetch(`${this.url}/cdn-cgi/local/scheduled`);
    if (!response.ok) throw new Error(`the cron answered ${response.status}: ${await response.text()}`);
  }

  /** `kill -9` of the runtime; resolves when its successor answers. State survives, queues and sockets do not. */
  async killRuntime(): Promise<void> {
    process.kill(runtimes.get(this)!, "SIGKILL");
    const answers = (): Promise<boolean> =>
      fetch(`${this.url}/healthz`).then(
        () => true,
        () => false,
      );
    await eventually(answers, (up) => up, "the runtime is back");
    this.#claimRuntime();
  }

  /** What the Worker and its objects hold on to, once garbage is collected. Needs `inspected`. */
  async heapMegabytes(): Promise<number> {
    const inspector = await this.#miniflare.getInspectorURL();
    const wake = async (): Promise<void> => {
      await fetch(`${this.url}/healthz`).then((answer) => answer.arrayBuffer());
    };
    return (await usedHeapBytes(new URL(`/core:user:${WORKER}`, inspector).href, wake)) / 1_048_576;
  }

  /** The runtime's process id, for its memory in /proc. */
  get runtimePid(): number {
    return runtimes.get(this)!;
  }

  async close(): Promise<void> {
    runtimes.delete(this);
    await this.#miniflare.dispose();
  }

  #claimRuntime(): void {
    runtimes.delete(this);
    const taken = new Set(runtimes.values());
    const pid = childrenOf(process.pid, "workerd").find((child) => !taken.has(child));
    if (pid !== undefined) runtimes.set(this, pid);
  }
}

const WORKER = "tidings";

type MiniflareOptions = ReturnType<typeof convertV4MiniflareOptions>;

async function miniflareOptions(options: HubOptions, logs: JsonObject[]): Promise<MiniflareOptions> {
  const { folder, file } = options.bundle ?? {
    folder: await bundleHub(options.entry),
    file: bundledFile(options.entry),
  };
  const { settings } = await readShipped();
  const consumers = await Promise.all(Object.entries(options.consumers ?? {}).map(consumerOptions));
  const vars = Object.entries({ ROOT_KEY, ALLOW_PRIVATE_TARGETS: "1", ...options.vars });
  return convertV4MiniflareOptions({
    workers: [
      {
        ...(options.direct === true ? atItsOwnSocket(settings) : settings),
        name: WORKER,
        modules: [{ type: "ESModule", path: join(folder, file) }],
        modulesRoot: folder,
        bindings: Object.fromEntries(vars.filter((entry): entry is [string, string] => entry[1] !== null)),
        serviceBindings: Object.fromEntries(consumers.map(({ name }) => [name, { name }])),
        ...(options.outbound === undefined ? {} : { outboundService: options.outbound as never }),
      },
      ...consumers,
    ],
    host: "127.0.0.1",
    port: options.port ?? 0,
    cf: options.continent === undefined ? {} : { continent: options.continent },
    ...(options.inspected === true ? { inspectorHost: "127.0.0.1", inspectorPort: 0 } : {}),
    unsafeTriggerHandlers: true,
    unsafeInspectDurableObjects: true,
    handleStructuredLogs: ({ message }) => logs.push(parseLog(message)),
    ...(options.persistTo === undefined ? {} : { resourcePersistencePath: options.persistTo }),
  });
}

/** Static files are left out: what looks for them stands before the Worker. */
function atItsOwnSocket({ assets: _assets, ...settings }: Shipped["settings"]) {
  return { ...settings, unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };
}

/** A consumer is named like the binding that leads to it. */
async function consumerOptions([name, entry]: readonly [binding: string, entry: string]) {
  const bundle = await bundleConsumer(entry);
  const modules = [{ type: "ESModule" as const, path: join(bundle, bundledFile(entry)) }];
  return { name, modules, modulesRoot: bundle, compatibilityDate: "2026-10-20" };
}

async function answerOf<Body>(response: Response): Promise<Answer<Body>> {
  const text = await response.text();
  const body = (text === "" ? null : JSON.parse(text)) as Body;
  return { status: response.status, headers: response.headers, body };
}

function parseLog(message: string): JsonObject {
  try {
    return JSON.parse(message) as JsonObject;
  } catch {
    return { message };
  }
}

/** All that is missing in one transaction. */
async function migrate(database: D1Database): Promise<void> {
  await database.exec("CREATE TABLE IF NOT EXISTS applied_migrations (name TEXT PRIMARY KEY)");
  const { results } = await database.prepare("SELECT name FROM applied_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const { migrations } = await readShipped();
  const missing = migrations.filter(({ name }) => !applied.has(name));
  const statements = missing.flatMap(({ name, statements: texts }) => [
    ...texts.map((text) => database.prepare(text)),
    database.prepare("INSERT INTO applied_migrations (name) VALUES (?)").bind(name),
  ]);
  if (statements.length > 0) await database.batch(statements);
}
