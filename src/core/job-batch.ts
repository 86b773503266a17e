/**
 * A batch: jobs that are published as events, one after the other or all at once, and counted as they end. Not to be
 * confused with a batch of deliveries (ledger-batch.ts) or of events.
 */
import { hash53 } from "./hash53.ts";

export type BatchMode = "chain" | "parallel";

/** `cancelling`: it was cancelled, and what had started by then goes on to its end. */
export type BatchState = "running" | "cancelling" | "cancelled" | "failed" | "finished";

/** `open`: it has not ended, published or not. */
export type BatchJobState = "open" | "completed" | "failed" | "cancelled";

/** What a batch tells of itself: events of types that its maker names. */
export const BATCH_NEWS = ["then", "catch", "finally", "progress"] as const;
export type BatchNewsKind = (typeof BATCH_NEWS)[number];

export interface BatchRules {
  readonly mode: BatchMode;
  /** A failed job neither stops a chain nor keeps `then` from being told. */
  readonly allowFailures: boolean;
}

export interface BatchDefinition extends BatchRules {
  readonly app: string;
  readonly id: string;
  readonly name: string | null;
  /** Where jobs are published, and where the batch tells of itself. */
  readonly topic: string;
  readonly eventTopic: string;
  /** The one whose settling ends jobs; null: workers say by API what became of them. */
  readonly subscription: { readonly id: string; readonly name: string } | null;
  /** Event types; what is absent is not told. */
  readonly tells: Readonly<Partial<Record<BatchNewsKind, string>>>;
  /** Of the request that made it; its events carry it on. */
  readonly traceparent: string | null;
  readonly createdAt: number;
  /** The job of another batch that this one is; absent: none. */
  readonly parent?: { readonly id: string; readonly index: number };
}

export interface BatchCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** They never ran. */
  readonly cancelled: number;
}

export interface BatchProgress extends BatchCounts {
  readonly state: BatchState;
  /** 1, and one more for each retry of what failed. */
  readonly round: number;
  /** The failure of this round has been told. */
  readonly caught: boolean;
  readonly endedAt: number | null;
}

export interface BatchJob {
  readonly index: number;
  readonly type: string;
  readonly state: BatchJobState;
  /** How often it was published: 1, and one more for each retry. */
  readonly run: number;
  /** Why it failed. */
  readonly reason: string | null;
  /** It is a batch itself. */
  readonly isBatch: boolean;
}

/** How one run of a job ended. */
export interface BatchJobReport {
  readonly index: number;
  readonly run: number;
  readonly outcome: Exclude<BatchJobState, "open">;
  readonly reason: string | null;
}

/** A job as it was given: a draft as JSON text, without id and source; or a whole batch (`nestedDraft`). */
export interface NewBatchJob {
  readonly type: string;
  readonly draft: string;
}

/** A batch inside another: it publishes where that one does, and counts on the same subscription. */
export interface NestedBatch extends BatchRules, Pick<BatchDefinition, "name" | "tells"> {
  readonly jobs: readonly NewBatchJob[];
}

/** What stands for the type of a job that is a batch. */
export const NESTED_TYPE = "batch";

/** No draft begins so. */
const NESTED = `{"batch":`;

export const nestedDraft = (batch: NestedBatch): string => `${NESTED}${JSON.stringify(batch)}}`;

/** Null: it is an event's draft. */
export const readNested = (draft: string): NestedBatch | null =>
  draft.startsWith(NESTED) ? (JSON.parse(draft) as { batch: NestedBatch }).batch : null;

/** What `GET` tells, apart from how it is written there. */
export interface BatchReport {
  readonly definition: BatchDefinition;
  readonly progress: BatchProgress;
}

/** How much of it is over, in whole percent: 100 only when all is. */
export const percentOf = ({ total, completed, failed }: BatchCounts): number =>
  total === 0 ? 100 : Math.floor((100 * (completed + failed)) / total);

export const isOver = ({ state }: Pick<BatchProgress, "state">): boolean =>
  state !== "running" && state !== "cancelling";

export const isCancelled = ({ state }: Pick<BatchProgress, "state">): boolean =>
  state === "cancelling" || state === "cancelled";

/**
 * The batch's id names the subscription that counts, so that a ledger knows its own jobs without asking, and sorts by
 * the time of its making. `moment`: 32 hexadecimal digits of a UUIDv7.
 */
export const batchId = (moment: string, subscription: string | null): string =>
  `batch_${moment}_${subscription ?? WORKERS}`;

const WORKERS = "workers";
const BATCH_ID = /^batch_[0-9a-f]{32}_([0-9A-Za-z]{1,64})$/;

export const isBatchId = (id: string): boolean => BATCH_ID.test(id);

/** Whose settling ends the batch's jobs; null: nobody's, or it is no batch's id. */
export function subscriptionOfBatch(id: string): string | null {
  const subscription = BATCH_ID.exec(id)?.[1] ?? null;
  return subscription === WORKERS ? null : subscription;
}

/** Of the batch that is a job of another: the same however often it is begun. It is as old as that one. */
export function nestedBatchId(parent: string, index: number): string {
  const place = `${parent}_${index}`;
  const moment = parent.slice("batch_".length, "batch_".length + 12) + hash53(place) + hash53(`${place}_`).slice(0, 6);
  return batchId(moment, subscriptionOfBatch(parent));
}

/** The id of the event that is one run of a job: published again after a crash it is the same event. */
export const batchJobKey = (batch: string, index: number, run: number): string => `${batch}_${index}_${run}`;

export const batchSource = (batch: string): string => `/batches/${batch}`;

/** Which run of which job an event is. */
export interface BatchJobName {
  readonly batch: string;
  readonly index: number;
  readonly run: number;
}

/** The extensions that make an event a job. Clients cannot write them: the hub drops them as its own. */
export const jobAttributes = ({ batch, index, run }: BatchJobName): string =>
  `,"batchid":"${batch}","jobindex":${index},"jobrun":${run}`;

/** Null for a line that is no job. Only what could be one is parsed. */
export function jobOfLine(line: string): BatchJobName | null {
  if (!line.includes(`,"batchid":"`)) return null;
  const { batchid, jobindex, jobrun } = JSON.parse(line) as Record<string, unknown>;
  if (typeof batchid !== "string" || typeof jobindex !== "number" || typeof jobrun !== "number") return null;
  return isBatchId(batchid) ? { batch: batchid, index: jobindex, run: jobrun } : null;
}
