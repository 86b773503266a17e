/**
 * One batch as its rows hold it. Each change is one transaction: the jobs' rows, the counts and what is to be told move
 * together, so that a crash at any instant leaves them agreeing.
 */
import { formatBatchNews } from "../../core/job-batch-news.ts";
import {
  addJobs,
  beginBatch,
  cancelBatch,
  dropJobs,
  endJob,
  outcomeIn,
  retryBatch,
  type BatchNews,
  type BatchStep,
} from "../../core/job-batch-step.ts";
import {
  isCancelled,
  isOver,
  type BatchDefinition,
  type BatchJob,
  type BatchJobReport,
  type BatchProgress,
  type NewBatchJob,
} from "../../core/job-batch.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { countedSql } from "../counted-sql.ts";
import { MetaStore } from "../meta-store.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { HeldJobs } from "../rpc/batch.ts";
import { BatchJobStore, type OpenJob } from "./batch-job-store.ts";
import { BATCH_MIGRATIONS } from "./batch-migrations.ts";
import { BatchRequestStore } from "./batch-request-store.ts";

interface BatchFacts {
  definition: BatchDefinition;
  progress: BatchProgress;
  /** Of the jobs of this round: up to `through` they are published; up to `begun` they may be. */
  published: { readonly begun: number; readonly through: number };
  /** When a job last ended, or jobs came, milliseconds. */
  movedAt: number;
  /** The ledger has heard that the batch is cancelled, and so has each batch inside it. */
  cancelHeard: true;
  /** Of a batch inside another: the run of the job that it is, and the last one whose end that other knows. */
  parentRun: number;
  parentTold: number;
  /** The state that the list of batches shows; until the first is told it shows no batch. */
  listed: BatchProgress["state"];
}

const NOTHING_PUBLISHED = { begun: -1, through: -1 };

export class BatchRecord {
  readonly storage: DurableObjectStorage;
  readonly meta: MetaStore<BatchFacts>;
  readonly jobs: BatchJobStore;
  readonly news: AnnouncementStore;
  readonly #requests: BatchRequestStore;

  constructor(storage: DurableObjectStorage, app: string) {
    this.storage = storage;
    applyMigrations(storage, BATCH_MIGRATIONS);
    const sql = countedSql(storage.sql, app, "batch");
    this.meta = new MetaStore(sql);
    this.jobs = new BatchJobStore(sql);
    this.news = new AnnouncementStore(sql);
    this.#requests = new BatchRequestStore(sql);
  }

  /** Null before it is made, and when its time is over. */
  get definition(): BatchDefinition | null {
    return this.meta.read("definition");
  }

  get progress(): BatchProgress {
    return this.meta.read("progress")!;
  }

  create(definition: BatchDefinition, jobs: readonly NewBatchJob[], now: number): void {
    this.storage.transactionSync(() => {
      if (this.definition !== null) return;
      this.meta.write("definition", definition);
      this.meta.write("progress", beginBatch(jobs.length));
      this.meta.write("published", NOTHING_PUBLISHED);
      this.meta.write("movedAt", now);
      this.jobs.insert(0, jobs);
    });
  }

  add(jobs: readonly NewBatchJob[], request: string | null, now: number): Result<null> {
    return this.storage.transactionSync(() => {
      if (request !== null && this.#requests.has(request)) return ok(null);
      const { total } = this.progress;
      const actual = total + jobs.length;
      if (actual > LIMITS.BATCH_JOBS_MAX)
        return fail("body_too_large", "A batch has no more jobs.", { limit: LIMITS.BATCH_JOBS_MAX, actual });
      const after = addJobs(this.progress, jobs.length);
      if (!after.ok) return after;
      if (request !== null) this.#requests.insert(request); // One that is refused may come again.
      this.meta.write("progress", after.value);
      this.meta.write("movedAt", now);
      this.jobs.insert(total, jobs);
      return ok(null);
    });
  }

  /** All of them in one transaction. */
  settle(reports: readonly BatchJobReport[], now: number): void {
    this.storage.transactionSync(() => this.#endAll(reports, now));
  }

  /** A worker's word: repeated it is answered alike. */
  endJob(index: number, outcome: "completed" | "failed", reason: string | null, now: number): Result<BatchJob> {
    const job = this.jobs.get(index);
    if (job === null) return fail("batch_job_not_found");
    if (job.isBatch) return fail("batch_job_not_found", "That job is a batch, and ends when its own jobs do.");
    if (job.state === outcome) return ok(job);
    if (job.state !== "open" || isOver(this.progress)) return fail("batch_job_over");
    if (index > this.meta.read("published")!.begun) return fail("batch_job_not_started");
    this.settle([{ index, run: job.run, outcome, reason }], now);
    return ok(this.jobs.get(index)!);
  }

  /** As a job of another batch it begins, or goes on with what failed; once for each run of that job. */
  beginRun(definition: BatchDefinition, jobs: readonly NewBatchJob[], run: number, now: number): void {
    this.storage.transactionSync(() => {
      if (this.meta.read("parentRun") === run) return;
      if (this.definition === null) this.create(definition, jobs, now);
      else this.retry(now);
      this.meta.write("parentRun", run);
    });
  }

  /** What the batch that it is a job of is to be told; null: nothing. */
  parentReport(): BatchJobReport | null {
    const parent = this.definition?.parent;
    const run = this.meta.read("parentRun");
    if (parent === undefined || run === null || !isOver(this.progress)) return null;
    if (this.meta.read("parentTold") === run) return null;
    const { index } = parent;
    switch (this.progress.state) {
      case "finished":
        return { index, run, outcome: "completed", reason: null };
      case "cancelled":
        return { index, run, outcome: "cancelled", reason: "cancelled" };
      default:
        return { index, run, outcome: "failed", reason: "batch_failed" };
    }
  }

  /** Batches inside it that have begun and are not over, by index. */
  openBatches(): readonly BatchJob[] {
    const { begun } = this.meta.read("published")!;
    const open = this.jobs.list("open", -1, LIMITS.BATCH_JOBS_MAX);
    return open.filter(({ index, isBatch }) => isBatch && index <= begun);
  }

  /** Nothing more is published from here on. */
  beginCancel(): void {
    this.storage.transactionSync(() => this.meta.write("progress", cancelBatch(this.progress)));
  }

  /** The ledger has heard of it: what it does not hold has not started, and never will. */
  dropUnstarted({ held, ended }: HeldJobs, now: number): void {
    this.storage.transactionSync(() => {
      this.#endAll(ended, now);
      this.meta.write("cancelHeard", true);
      if (isOver(this.progress)) return;
      const dropped = this.jobs.cancelOpen(new Set(held));
      this.#take(dropJobs(this.definition!, this.progress, dropped, now));
    });
  }

  retry(now: number): Result<null> {
    return this.storage.transactionSync(() => {
      const after = retryBatch(this.progress);
      if (!after.ok) return after;
      this.jobs.reopenFailed();
      this.meta.write("progress", after.value);
      this.meta.write("published", NOTHING_PUBLISHED);
      this.meta.write("movedAt", now);
      return ok(null);
    });
  }

  /** Nothing has moved for so long that nobody will end what is open: it failed, and the batch is over. */
  lapse(now: number): void {
    const open = this.jobs.list("open", -1, LIMITS.BATCH_JOBS_MAX);
    const reports = open.map(({ index, run }) => ({ index, run, outcome: "failed" as const, reason: "lapsed" }));
    this.settle(reports, now);
  }

  /**
   * What is published next; empty: nothing now. A page is written down before it is published, so that after a crash
   * the same one is published again.
   */
  nextPage(): readonly OpenJob[] {
    const { definition, progress } = this;
    if (definition === null || isOver(progress) || isCancelled(progress)) return [];
    const { begun, through } = this.meta.read("published")!;
    const charsMax = LIMITS.SEGMENT_BYTES_MAX / 2;
    if (begun > through) {
      const page = this.jobs.open(through, begun, LIMITS.BATCH_JOBS_PER_APPEND, charsMax);
      if (page.length > 0) return page;
      this.pagePublished(); // All of it has ended meanwhile.
      return this.nextPage();
    }
    const isChain = definition.mode === "chain";
    if (isChain && this.jobs.get(through)?.state === "open") return [];
    const page = this.jobs.open(through, LIMITS.BATCH_JOBS_MAX, isChain ? 1 : LIMITS.BATCH_JOBS_PER_APPEND, charsMax);
    const last = page.at(-1);
    if (last !== undefined) this.meta.write("published", { begun: last.index, through });
    return page;
  }

  pagePublished(): void {
    const { begun } = this.meta.read("published")!;
    this.meta.write("published", { begun, through: begun });
  }

  /** Whether something is to be done that waits for nobody. */
  get owes(): boolean {
    const { definition } = this;
    if (definition === null) return false;
    const { state } = this.progress;
    const isUnheard = state === "cancelling" && this.meta.read("cancelHeard") === null;
    if (this.parentReport() !== null) return true;
    return isUnheard || !this.news.isEmpty() || this.meta.read("listed") !== state || this.#hasUnpublished(definition);
  }

  /** Its time is over: nothing is left but what it has published. */
  async drop(): Promise<void> {
    await this.storage.deleteAll();
    applyMigrations(this.storage, BATCH_MIGRATIONS);
  }

  #hasUnpublished({ mode }: BatchDefinition): boolean {
    if (this.progress.state !== "running") return false;
    const { begun, through } = this.meta.read("published")!;
    if (begun > through) return true;
    if (mode === "chain" && this.jobs.get(through)?.state === "open") return false;
    return this.jobs.open(through, LIMITS.BATCH_JOBS_MAX, 1, 0).length > 0;
  }

  #endAll(reports: readonly BatchJobReport[], now: number): void {
    const { definition } = this;
    if (definition === null) return;
    const before = this.progress;
    let progress = before;
    const news: BatchNews[] = [];
    for (const report of reports) {
      const job = this.jobs.get(report.index);
      const step = job === null ? null : endJob(definition, progress, job, report, now);
      if (step === null) continue;
      this.jobs.end(report.index, outcomeIn(progress, report), report.reason);
      progress = step.progress;
      news.push(...step.news);
    }
    if (progress === before) return;
    this.meta.write("movedAt", now);
    this.#take({ progress, news });
  }

  #take({ progress, news }: BatchStep): void {
    this.meta.write("progress", progress);
    for (const one of news) {
      const text = formatBatchNews(this.definition!, one);
      if (text !== null) this.news.insert({ full: text, bare: text });
    }
  }
}
