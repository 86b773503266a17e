/** Dead letters as operators read them, and which of them a list or a repair means. */
import type { AttemptRecord } from "./delivery-decision.ts";
import type { FilterPattern } from "./filter-pattern.ts";
import type { LifeRange } from "./replay.ts";

export interface DeadLetter {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly fingerprint: string;
  readonly diedAt: string;
  /** How often it came back from the dead before; `attempts` tells of all its lives. */
  readonly redrives: number;
  readonly attempts: readonly AttemptRecord[];
  /** The event as it was delivered, a line of JSON. */
  readonly event: string;
}

/** Which dead letters a list is narrowed to; null: not by that. */
export interface DeadLetterQuery {
  readonly filter: FilterPattern | null;
  readonly reason: string | null;
  readonly fingerprint: string | null;
}

/** Deaths of one error: alike in reason, status, error and in what the target said, its numbers and ids folded. */
export interface DeadLetterGroup {
  readonly fingerprint: string;
  readonly reason: string;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string;
  readonly count: number;
  readonly firstDiedAt: string;
  readonly lastDiedAt: string;
}

/** Dead letters that a repair means. */
export type DeadLetterChoice =
  | { readonly kind: "ids"; readonly ids: readonly string[] }
  /** Those whose event it lets through. */
  | { readonly kind: "filter"; readonly filter: FilterPattern }
  | { readonly kind: "fingerprint"; readonly fingerprint: string }
  /** Those of events that lie in one of the ranges; `filter` null: all of them. */
  | { readonly kind: "ranges"; readonly ranges: readonly LifeRange[]; readonly filter: FilterPattern | null }
  | { readonly kind: "all" };
