/** Where a subscription is to go on, and what that means for each partition that it follows. */
import type { Position } from "./position.ts";

export interface SeekAsk {
  readonly to: Position;
  /** Null: all that is followed. */
  readonly topic: string | null;
  readonly partition: number | null;
  /** Tells what would happen, and changes nothing. */
  readonly dryRun: boolean;
}

/** The next offset of a partition, before and after, and how many events are examined again or never. */
export interface SeekMove {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly again: number;
  readonly skipped: number;
}
