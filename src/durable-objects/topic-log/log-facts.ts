/** The log's few facts that are not events: its life, what trimming removed, where the sweep stands. */
import type { LogLife } from "../rpc.ts";
import type { SweepPosition } from "./identity-store.ts";
import type { LogEnds } from "./segment-store.ts";

/** A life that has ended keeps its epoch, so that a caller with stale configuration is still refused. */
export type Life =
  { readonly kind: "live"; readonly life: LogLife } | { readonly kind: "retired"; readonly epoch: number };

export interface Sweep {
  readonly finishedAt: number;
  /** Null between sweeps. */
  readonly position: SweepPosition | null;
  /** What the last sweep, or the one under way, takes from the index of keys: rows of events before this offset. */
  readonly keysBefore: number;
}

/** What was told of the channel last. */
export interface OccupancyTold {
  readonly subscriptions: number;
  /** When that was; milliseconds. */
  readonly at: number;
  /** The head at which the last cache miss was told; null: none since the channel was occupied. */
  readonly missedAt: number | null;
}

export interface LogFacts {
  /** It was told that the log comes near its limit, and not yet that it has room again. */
  filling: true;
  occupancy: OccupancyTold;
  life: Life;
  trim: LogEnds;
  sweep: Sweep;
}
