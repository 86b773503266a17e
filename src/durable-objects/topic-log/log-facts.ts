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

export interface LogFacts {
  life: Life;
  trim: LogEnds;
  sweep: Sweep;
}
