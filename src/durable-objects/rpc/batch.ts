/** What the Worker and ledgers ask of a batch, and what it asks of them. Types only, as in rpc.ts. */
import type {
  BatchDefinition,
  BatchJob,
  BatchJobReport,
  BatchJobState,
  BatchReport,
  BatchState,
  NewBatchJob,
} from "../../core/job-batch.ts";
import type { Result } from "../../core/result.ts";

export interface BatchRpc extends Rpc.DurableObjectBranded {
  /** One that is there already stays as it is. */
  create(definition: BatchDefinition, jobs: readonly NewBatchJob[]): Promise<Result<BatchReport>>;
  /** As a job of another batch: it begins, or goes on with what failed. Repeated for one run it changes nothing. */
  beginRun(definition: BatchDefinition, jobs: readonly NewBatchJob[], run: number): Promise<void>;
  /** `request`: repeated, it adds nothing more. Fails with `batch_over`, and with `body_too_large` above the limit. */
  add(jobs: readonly NewBatchJob[], request: string | null): Promise<Result<BatchReport>>;
  /** What became of published jobs. Reports that came before, or are of an earlier run, change nothing. */
  settle(reports: readonly BatchJobReport[]): Promise<void>;
  /** A worker says so. Fails with `batch_job_not_found`, `batch_job_not_started` and `batch_job_over`. */
  endJob(index: number, outcome: "completed" | "failed", reason: string | null): Promise<Result<BatchJob>>;
  /** Whether jobs may begin: no more when it was cancelled. */
  mayStart(): Promise<boolean>;
  /** When it answers, nothing begins that had not begun. Rejects when the ledger cannot be reached: ask again. */
  cancel(): Promise<Result<BatchReport>>;
  /** What failed, once more. Fails with `batch_running` and `batch_over`. */
  retry(): Promise<Result<BatchReport>>;
  report(): Promise<Result<BatchReport>>;
  /** By index, after `after`; `state` null: all. */
  jobs(state: BatchJobState | null, after: number, limit: number): Promise<Result<readonly BatchJob[]>>;
}

/** How a ledger stands to a batch when it has heard that it is cancelled: it begins none of its jobs from then on. */
export interface HeldJobs {
  /** Somebody works on them, or is about to: the ledger will tell what becomes of each. */
  readonly held: readonly number[];
  /** They had ended, and the batch has perhaps not been told. */
  readonly ended: readonly BatchJobReport[];
}

/** What is to be appended for a batch. `text`: a draft as JSON; `attributes`: what only the hub may write. */
export interface BatchDraft {
  readonly text: string;
  readonly attributes: string;
}

/** On whose behalf a batch publishes. */
export interface BatchPublisher {
  readonly app: string;
  readonly batch: string;
  /** Of the request that made it. */
  readonly traceparent: string | null;
}

/** What a batch asks of the Worker that exports it. */
export interface BatchGateRpc {
  /** Appends jobs, or what a batch tells of itself, each event once however often it comes. Fails as a publish does. */
  publishForBatch(from: BatchPublisher, topic: string, drafts: readonly BatchDraft[]): Promise<Result<null>>;
  /** Puts a batch that is inside another into the app's list. Idempotent. */
  addNestedBatch(definition: BatchDefinition): Promise<void>;
  /** How the batch stands in the app's list; null: it stands there no more. */
  listBatch(app: string, batch: string, state: BatchState | null): Promise<void>;
}
