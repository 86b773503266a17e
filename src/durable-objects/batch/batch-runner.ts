/**
 * Does what a batch owes: publishes its jobs and tells of itself. One run at a time; what could not be done now the
 * object's alarm does, and since each event has an id of its own the log takes it once however often it comes.
 */
import { ERRORS, type Failure } from "../../core/errors.ts";
import {
  batchJobKey,
  batchSource,
  isCancelled,
  jobAttributes,
  nestedBatchId,
  readNested,
  type BatchDefinition,
  type NestedBatch,
} from "../../core/job-batch.ts";
import { ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { batch, subscription } from "../../stubs.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { BatchDraft } from "../rpc/batch.ts";
import type { OpenJob } from "./batch-job-store.ts";
import type { BatchRecord } from "./batch-record.ts";

const NEWS_AT_ONCE = 100;

/** What a topic will never take: the place of the draft, and why. */
interface Refused {
  readonly at: number;
  readonly failure: Failure;
}

export class BatchRunner {
  readonly #record: BatchRecord;
  readonly #env: Env;
  readonly #gate: () => WorkerGateRpc;
  #running: Promise<void> | null = null;
  /** Of a batch inside this one. */
  #beginning: Promise<void> | null = null;

  constructor(record: BatchRecord, env: Env, gate: () => WorkerGateRpc) {
    this.#record = record;
    this.#env = env;
    this.#gate = gate;
  }

  /** Resolves when nothing is owed or something could not be done; never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#runWhileOwed().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #runWhileOwed(): Promise<void> {
    try {
      while (this.#record.owes) {
        const done = await this.#runOnce(this.#record.definition!);
        if (done.ok) continue;
        if (done.failure.code === "app_not_found") return await this.#record.drop();
        return this.#log({ code: done.failure.code });
      }
    } catch (error) {
      this.#log({ error: String(error) });
    }
  }

  async #runOnce(definition: BatchDefinition): Promise<Result<null>> {
    if (this.#record.progress.state === "cancelling") await this.tellCancelled(definition);
    await this.#list(definition);
    const published = await this.#publishJobs(definition);
    if (!published.ok) return published;
    const told = await this.#tellNews(definition);
    if (!told.ok) return told;
    await this.#tellParent(definition);
    return ok(null);
  }

  async #list({ app, id }: BatchDefinition): Promise<void> {
    const { state } = this.#record.progress;
    if (this.#record.meta.read("listed") === state) return;
    await this.#gate().listBatch(app, id, state);
    this.#record.meta.write("listed", state);
  }

  async #tellParent({ app, parent }: BatchDefinition): Promise<void> {
    const report = this.#record.parentReport();
    if (report === null || parent === undefined) return;
    await batch(this.#env, app, parent.id).settle([report]);
    this.#record.meta.write("parentTold", report.run);
  }

  /** Rejects when the ledger, or a batch inside this one, cannot be reached. */
  async tellCancelled({ app, id, subscription: counted }: BatchDefinition): Promise<void> {
    if (this.#record.meta.read("cancelHeard") !== null) return;
    const { held, ended } =
      counted === null ? { held: [], ended: [] } : await subscription(this.#env, app, counted.id).cancelBatch(id);
    await this.#beginning?.catch(() => null); // After it none is begun. One that failed may be there all the same.
    const inside = await Promise.all(this.#record.openBatches().map(({ index }) => this.#cancelNested(app, id, index)));
    this.#record.dropUnstarted({ held: [...held, ...inside.flat()], ended }, Date.now());
  }

  /** Its index where it is there, because it will tell how it ends. */
  async #cancelNested(app: string, id: string, index: number): Promise<number[]> {
    const cancelled = await batch(this.#env, app, nestedBatchId(id, index)).cancel();
    return cancelled.ok ? [index] : [];
  }

  async #publishJobs(definition: BatchDefinition): Promise<Result<null>> {
    for (let page = this.#record.nextPage(); page.length > 0; page = this.#record.nextPage()) {
      const events: OpenJob[] = [];
      for (const job of page) {
        if (isCancelled(this.#record.progress)) return ok(null); // Whoever cancels waits for the one that has begun.
        const nested = readNested(job.draft);
        if (nested === null) events.push(job);
        else await (this.#beginning = this.#beginNested(definition, nested, job));
      }
      const drafts = events.map((job) => jobDraft(definition.id, job));
      const published = await this.#publishAll(definition, definition.topic, drafts);
      if (!published.ok) return published;
      const refused = published.value.map(({ at, failure }) => {
        const { index, run } = events[at]!;
        return { index, run, outcome: "failed" as const, reason: failure.code };
      });
      this.#record.settle(refused, Date.now());
      this.#record.pagePublished();
    }
    return ok(null);
  }

  /** Its row first, as of any batch; begun again after a crash it is the same. */
  async #beginNested(outer: BatchDefinition, nested: NestedBatch, { index, run }: OpenJob): Promise<void> {
    const { jobs, ...own } = nested;
    const id = nestedBatchId(outer.id, index);
    const definition: BatchDefinition = { ...outer, ...own, id, parent: { id: outer.id, index } };
    await this.#gate().addNestedBatch(definition);
    await batch(this.#env, outer.app, id).beginRun(definition, jobs, run);
  }

  async #tellNews(definition: BatchDefinition): Promise<Result<null>> {
    const { news } = this.#record;
    for (let rows = news.first(NEWS_AT_ONCE); rows.length > 0; rows = news.first(NEWS_AT_ONCE)) {
      const drafts = rows.map(({ full }) => ({ text: full, attributes: "" }));
      const published = await this.#publishAll(definition, definition.eventTopic, drafts);
      if (!published.ok) return published;
      for (const { failure } of published.value) this.#log({ code: failure.code, refused: "news" });
      news.removeThrough(rows.at(-1)!.seq);
    }
    return ok(null);
  }

  /** All at once, or, where that is refused for good, one by one. Fails when it is worth coming again. */
  async #publishAll(
    definition: BatchDefinition,
    topic: string,
    drafts: readonly BatchDraft[],
  ): Promise<Result<readonly Refused[]>> {
    const together = await this.#publish(definition, topic, drafts);
    if (together.ok) return ok([]);
    if (!isForGood(together.failure)) return together;
    const refused: Refused[] = [];
    for (const [at, draft] of drafts.entries()) {
      const alone = await this.#publish(definition, topic, [draft]);
      if (alone.ok) continue;
      if (!isForGood(alone.failure)) return alone;
      refused.push({ at, failure: alone.failure });
    }
    return ok(refused);
  }

  #publish(
    { app, id, traceparent }: BatchDefinition,
    topic: string,
    drafts: readonly BatchDraft[],
  ): Promise<Result<null>> {
    return this.#gate().publishForBatch({ app, batch: id, traceparent }, topic, drafts);
  }

  #log(told: Readonly<Record<string, unknown>>): void {
    const { app, id } = this.#record.definition ?? { app: null, id: null };
    logStage("batch.postponed", { app, batch: id, ...told });
  }
}

const isForGood = ({ code }: Failure): boolean => !ERRORS[code].retryable && code !== "app_not_found";

function jobDraft(batch: string, { index, run, draft }: OpenJob): BatchDraft {
  const head = JSON.stringify({ id: batchJobKey(batch, index, run), source: batchSource(batch) });
  return { text: `${head.slice(0, -1)},${draft.slice(1)}`, attributes: jobAttributes({ batch, index, run }) };
}
