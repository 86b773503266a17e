/** What `GET /v1/batches…` answers of a batch and of its jobs. */
import { nestedBatchId, percentOf, type BatchJob, type BatchReport } from "../../core/job-batch.ts";

export interface BatchView {
  readonly id: string;
  readonly name: string | null;
  readonly mode: string;
  readonly state: string;
  readonly topic: string;
  readonly eventTopic: string;
  readonly subscription: string | null;
  readonly allowFailures: boolean;
  readonly then?: string;
  readonly catch?: string;
  readonly finally?: string;
  readonly progress?: string;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Neither of these yet. */
  readonly open: number;
  readonly percent: number;
  /** 1, and one more for each retry. */
  readonly round: number;
  /** The batch that it is a job of. */
  readonly parent?: { readonly id: string; readonly index: number };
  readonly createdAt: string;
  readonly endedAt?: string;
}

export function formatBatch({ definition, progress }: BatchReport): BatchView {
  const { id, name, mode, topic, eventTopic, subscription, allowFailures, tells, createdAt, parent } = definition;
  const { state, total, completed, failed, cancelled, round, endedAt } = progress;
  return {
    id,
    name,
    mode,
    state,
    topic,
    eventTopic,
    subscription: subscription?.name ?? null,
    allowFailures,
    ...tells,
    total,
    completed,
    failed,
    cancelled,
    open: total - completed - failed - cancelled,
    percent: percentOf(progress),
    round,
    ...(parent !== undefined && { parent }),
    createdAt: new Date(createdAt).toISOString(),
    ...(endedAt !== null && { endedAt: new Date(endedAt).toISOString() }),
  };
}

/** `batch`: whose job it is. */
export const formatBatchJob = (batch: string, { index, type, state, run, reason, isBatch }: BatchJob): object => ({
  index,
  type,
  state,
  run,
  ...(isBatch && { batch: nestedBatchId(batch, index) }),
  ...(reason !== null && { reason }),
});
