/** Work on many deliveries of one subscription that outlives the request that asked for it. */

export type JobKind = "redrive" | "discard" | "replay";

export type JobState = "running" | "done" | "cancelled" | "failed";

export interface RepairOptions {
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
  /** Null: as fast as it goes. */
  readonly ratePerSecond: number | null;
}

/** `matched`: how many the choice names; without a `job` they have been moved. */
export interface RepairAnswer {
  readonly matched: number;
  readonly job: string | null;
}

/**
 * `done` stays behind `matched` where others were faster, or it was cancelled. Of a replay `matched` and `done` count
 * events of its range, and `replayed` those of them that the filters let through: they are owed anew.
 */
export interface JobReport {
  readonly id: string;
  readonly kind: JobKind;
  /** By name. */
  readonly subscription: string;
  readonly state: JobState;
  readonly matched: number;
  readonly done: number;
  readonly replayed?: number;
  readonly createdAt: string;
  readonly endedAt?: string;
}

/** Where a job lives: the subscription's minted id, and the number of the job in its ledger. */
export interface JobPlace {
  readonly subscription: string;
  readonly number: number;
}

/** The job's id on the wire: nobody has to keep a table of where jobs live. */
export const jobKey = (subscription: string, number: number): string => `job_${subscription}_${number}`;

/** The inverse of `jobKey`; null for every other spelling. */
export function parseJobKey(id: string): JobPlace | null {
  const [, subscription, digits] = /^job_([0-9A-Za-z]{1,64})_([1-9]\d{0,14})$/.exec(id) ?? [];
  return digits === undefined ? null : { subscription: subscription!, number: Number(digits) };
}
