/** A range of the logs that a subscription is to get once more. */
import type { FilterPattern } from "./filter-pattern.ts";
import type { Position } from "./position.ts";

export type ReplayMode =
  /** Each event that the filters let through is a new delivery, whatever became of it before. */
  | "force"
  /** Only what was passed over or given up: before the start, skipped, discarded. */
  | "missing"
  /** Only what is dead: redriven, under the ids that it had. */
  | "failed";

export interface ReplayAsk {
  readonly mode: ReplayMode;
  /** The first event of the range. */
  readonly from: Position;
  /** The first event behind the range, so that ranges which follow on each other share none. */
  readonly to: Position;
  /** Null: all that is followed. */
  readonly topic: string | null;
  readonly partition: number | null;
  /** Narrows beside the subscription's own. */
  readonly filter: FilterPattern | null;
  readonly dryRun: boolean;
  /** Null: as fast as the subscription goes. */
  readonly ratePerSecond: number | null;
  /** The newest job that the caller knows of: what was begun since over the same events was sent at once with this. */
  readonly lastJob: number | null;
}

/** Offsets in (after, through] of one life of one partition. */
export interface LifeRange {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly after: number;
  readonly through: number;
}

/** Offsets from `from` up to, and without, `to`. */
export interface ReplayedRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export interface ReplayAnswer {
  /** How many events there are to it; the filters may leave some out. */
  readonly matched: number;
  /** Null when there is nothing to do, or it was only asked. */
  readonly job: string | null;
  readonly partitions: readonly ReplayedRange[];
  /** `ReplayAsk.lastJob` for the request that follows on a dry run. */
  readonly lastJob: number;
}
