/**
 * What `tidings/batches` exports: batches of jobs, for backends.
 *
 *     const batches = createBatches({ url, token });
 *     const batch = await batches.chain([pay({ order: 7 }), mail({ order: 7 })], { then: "order.success" });
 *
 * What a batch tells of itself are events: follow its `eventTopic` with `tidings/client` to watch it live. What comes
 * behind is named by event types and not by callbacks: those would be gone with this program.
 */
import type { BatchView } from "../wire/native/batch.ts";
import { Credentials, type GetToken } from "./credentials.ts";
import { checkDraft, type Draft } from "./event-definition.ts";
import type { Fetch } from "./platform.ts";
import { Requests } from "./requests.ts";

export type { BatchView } from "../wire/native/batch.ts";

export interface BatchesOptions {
  /** Where the hub answers: `https://hub.example.com`. */
  readonly url: string;
  /** A key, or a token that may publish to the topics. */
  readonly token?: string;
  readonly getToken?: GetToken;
  /** The runtime's own unless given. */
  readonly fetch?: Fetch;
}

export interface BatchOptions {
  /** Where jobs are published (`jobs`), and where the batch tells of itself (there, too). */
  readonly topic?: string;
  readonly eventTopic?: string;
  readonly name?: string;
  /** Whose settling ends the jobs: the only one that follows the topic. Null: workers say so, see `complete`. */
  readonly subscription?: string | null;
  readonly allowFailures?: boolean;
  /** Types of the events that the batch tells. */
  readonly then?: string;
  readonly catch?: string;
  readonly finally?: string;
  readonly progress?: string;
  /** Repeated within a day it finds the batch that it made. A random one unless given. */
  readonly idempotencyKey?: string;
}

/** The data of a `progress` event. */
export interface BatchStep {
  readonly batch_id: string;
  readonly completed: number;
  readonly failed: number;
  readonly total: number;
  readonly percent: number;
}

export interface BatchJobView {
  readonly index: number;
  readonly type: string;
  readonly state: "open" | "completed" | "failed" | "cancelled";
  readonly run: number;
  readonly reason?: string;
}

type Ask = <Answer>(method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;

export class Batches {
  readonly #ask: Ask;

  constructor({ url, token, getToken, fetch }: BatchesOptions) {
    const call = fetch ?? ((address, init) => globalThis.fetch(address, init));
    const requests = new Requests(url.replace(/\/+$/, ""), call, new Credentials(token, getToken));
    this.#ask = (method, path, body, key) =>
      requests.ask(
        method,
        `/v1/batches${path}`,
        body === undefined ? undefined : JSON.stringify(body),
        key === undefined ? {} : { "idempotency-key": key },
      );
  }

  /** One job after the other. Rejects with `data_invalid` before anything is sent, or with the hub's refusal. */
  chain(jobs: readonly Draft[], options: BatchOptions = {}): Promise<Batch> {
    return this.#make("chain", jobs, options);
  }

  /** All at once; otherwise alike. */
  parallel(jobs: readonly Draft[], options: BatchOptions = {}): Promise<Batch> {
    return this.#make("parallel", jobs, options);
  }

  /** One that is there, by its id; nothing is asked. */
  batch(id: string): Batch {
    return new Batch(this.#ask, id);
  }

  async #make(mode: string, jobs: readonly Draft[], { idempotencyKey, ...options }: BatchOptions): Promise<Batch> {
    const definition = { mode, jobs: await jobsOf(jobs), ...options };
    const { id } = await this.#ask<BatchView>("POST", "", definition, idempotencyKey ?? randomKey());
    return new Batch(this.#ask, id);
  }
}

export class Batch {
  readonly id: string;
  readonly #ask: Ask;

  constructor(ask: Ask, id: string) {
    this.#ask = ask;
    this.id = id;
  }

  look(): Promise<BatchView> {
    return this.#on("GET", "");
  }

  /** By index; at most 1,000 from the one after `after`. */
  async jobs(query: { readonly state?: BatchJobView["state"]; readonly after?: number } = {}): Promise<BatchJobView[]> {
    const search = new URLSearchParams({ limit: "1000" });
    if (query.state !== undefined) search.set("state", query.state);
    if (query.after !== undefined) search.set("cursor", String(query.after));
    return (await this.#on<{ items: BatchJobView[] }>("GET", `/jobs?${search}`)).items;
  }

  /** While it runs. */
  async add(jobs: readonly Draft[], idempotencyKey = randomKey()): Promise<BatchView> {
    return this.#on("POST", "/jobs", { jobs: await jobsOf(jobs) }, idempotencyKey);
  }

  /** Nothing starts that has not started. */
  cancel(): Promise<BatchView> {
    return this.#on("POST", "/cancel", {});
  }

  /** What failed, once more. */
  retry(): Promise<BatchView> {
    return this.#on("POST", "/retry", {});
  }

  /** For workers of a batch that counts on no subscription: `jobindex` of the event that is the job. */
  complete(jobindex: number): Promise<BatchJobView> {
    return this.#on("POST", `/jobs/${jobindex}/complete`, {});
  }

  fail(jobindex: number, reason?: string): Promise<BatchJobView> {
    return this.#on("POST", `/jobs/${jobindex}/fail`, { ...(reason !== undefined && { reason }) });
  }

  #on<Answer>(method: string, rest: string, body?: unknown, key?: string): Promise<Answer> {
    return this.#ask(method, `/${encodeURIComponent(this.id)}${rest}`, body, key);
  }
}

export const createBatches = (options: BatchesOptions): Batches => new Batches(options);

/** What an event calls data, a job calls its payload. */
async function jobsOf(drafts: readonly Draft[]): Promise<{ type: string; payload: unknown }[]> {
  await Promise.all(drafts.map(({ schema, data }) => checkDraft(schema, data)));
  return drafts.map(({ type, data }) => ({ type, payload: data }));
}

const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
