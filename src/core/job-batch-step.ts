/**
 * What happens to a batch, step by step: pure, so that the object only carries out. Each step answers how the batch
 * stands after it and what is to be told, and is taken in one transaction with the rows of the jobs.
 */
import {
  isOver,
  type BatchCounts,
  type BatchJob,
  type BatchJobReport,
  type BatchNewsKind,
  type BatchProgress,
  type BatchRules,
} from "./job-batch.ts";
import { fail, ok, type Result } from "./result.ts";

export interface BatchNews {
  readonly kind: BatchNewsKind;
  readonly round: number;
  readonly state: BatchProgress["state"];
  readonly counts: BatchCounts;
  /** With `catch`: the job that failed first. */
  readonly job: Pick<BatchJob, "index" | "type" | "reason"> | null;
}

export interface BatchStep {
  readonly progress: BatchProgress;
  readonly news: readonly BatchNews[];
}

export const beginBatch = (total: number): BatchProgress => ({
  state: "running",
  round: 1,
  total,
  completed: 0,
  failed: 0,
  cancelled: 0,
  caught: false,
  endedAt: null,
});

/**
 * A run of a job has ended. Null where that is no news: the job has ended before, or the report is of another run. It
 * is what makes duplicates harmless.
 */
export function endJob(
  rules: BatchRules,
  progress: BatchProgress,
  job: BatchJob,
  report: BatchJobReport,
  now: number,
): BatchStep | null {
  if (job.state !== "open" || job.run !== report.run || isOver(progress)) return null;
  const outcome = outcomeIn(progress, report);
  const counted = { ...progress, [outcome]: progress[outcome] + 1 };
  const isFirstFailure = outcome === "failed" && !progress.caught;
  const after = isFirstFailure ? { ...counted, caught: true } : counted;
  const news = outcome === "cancelled" ? [] : [newsOf("progress", after)];
  if (isFirstFailure) {
    const { index, type } = job;
    news.push({ ...newsOf("catch", after), job: { index, type, reason: report.reason } });
  }
  return endIfOver(rules, after, news, now);
}

/** What was cancelled by itself, while its batch goes on, has failed: it is a batch inside that one. */
export const outcomeIn = ({ state }: BatchProgress, { outcome }: BatchJobReport): BatchJobReport["outcome"] =>
  outcome === "cancelled" && state === "running" ? "failed" : outcome;

/** Nothing starts from here on. What has ended stays as it is. */
export const cancelBatch = (progress: BatchProgress): BatchProgress =>
  progress.state === "running" ? { ...progress, state: "cancelling" } : progress;

/** Of a batch that is being cancelled, so many jobs had not started. */
export const dropJobs = (rules: BatchRules, progress: BatchProgress, count: number, now: number): BatchStep =>
  endIfOver(rules, { ...progress, cancelled: progress.cancelled + count }, [], now);

/** Fails with `batch_over`. */
export function addJobs(progress: BatchProgress, count: number): Result<BatchProgress> {
  return progress.state === "running" ? ok({ ...progress, total: progress.total + count }) : fail("batch_over");
}

/** What failed is open again; so is what a chain has not come to. Fails with `batch_running` and `batch_over`. */
export function retryBatch(progress: BatchProgress): Result<BatchProgress> {
  if (!isOver(progress)) return fail("batch_running");
  if (progress.state === "cancelled") return fail("batch_over", "What was cancelled stays so.");
  if (progress.failed === 0) return fail("batch_over", "None of its jobs has failed.");
  return ok({ ...progress, state: "running", round: progress.round + 1, failed: 0, caught: false, endedAt: null });
}

function endIfOver(rules: BatchRules, progress: BatchProgress, news: readonly BatchNews[], now: number): BatchStep {
  if (isOver(progress) || !hasEnded(rules, progress)) return { progress, news };
  const ended = { ...progress, state: endStateOf(rules, progress), endedAt: now };
  const then = ended.state === "finished" ? [newsOf("then", ended)] : [];
  return { progress: ended, news: [...news, ...then, newsOf("finally", ended)] };
}

function hasEnded({ mode, allowFailures }: BatchRules, progress: BatchProgress): boolean {
  const { state, total, completed, failed, cancelled } = progress;
  const isStopped = mode === "chain" && failed > 0 && !allowFailures && state === "running";
  return isStopped || completed + failed + cancelled >= total;
}

function endStateOf({ allowFailures }: BatchRules, { state, failed }: BatchProgress): BatchProgress["state"] {
  if (state === "cancelling") return "cancelled";
  return failed > 0 && !allowFailures ? "failed" : "finished";
}

const newsOf = (
  kind: BatchNewsKind,
  { round, state, total, completed, failed, cancelled }: BatchProgress,
): BatchNews => ({
  kind,
  round,
  state,
  counts: { total, completed, failed, cancelled },
  job: null,
});
