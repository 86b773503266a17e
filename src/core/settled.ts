/**
 * How far a subscription has settled a topic: each event up to there that it was to get was delivered, or never will be
 * (dead, expired, skipped, discarded). What no filter let through is nobody's to settle.
 */
import { formatCursor, parseCursor, type Cursor } from "./cursor.ts";
import { fail, type Result } from "./result.ts";

export interface SettledAsk {
  /** Of the definition that the caller has read: its patterns are what the credential was held against. */
  readonly revision: number;
  readonly topic: string;
  /** Of the topic's present life. */
  readonly minCursor: Cursor;
}

export interface SettledAnswer {
  /** It has settled everything up to `minCursor`. */
  readonly reached: boolean;
  /** How far it has come, in each partition that it follows. */
  readonly offsets: ReadonlyMap<number, number>;
}

/** What a ledger knows of one partition. */
export interface SettledFacts {
  /** Every offset up to this one has been looked at. */
  readonly examined: number;
  /** The first offset that is owed still, whatever keeps it; null: none is. */
  readonly firstOwed: number | null;
}

/** An offset past the first that is owed counts for nothing: through means all of them, in whatever order they go. */
export const settledThrough = ({ examined, firstOwed }: SettledFacts): number =>
  firstOwed === null ? examined : Math.min(examined, firstOwed - 1);

/** A partition that is not followed yet has settled nothing. */
export const hasSettled = (minCursor: Cursor, offsets: ReadonlyMap<number, number>): boolean =>
  [...minCursor.offsets].every(([partition, offset]) => (offsets.get(partition) ?? 0) >= offset);

export const TOPIC_NOT_FOLLOWED: Result<never> = fail(
  "parameter_invalid",
  "The subscription does not follow that topic.",
);

/** What somebody asks for as text, which the hub alone writes: at most 1.7 KB. */
export const formatSettledAsk = ({ minCursor, ...ask }: SettledAsk): string =>
  JSON.stringify({ ...ask, minCursor: formatCursor(minCursor) });

export function parseSettledAsk(text: string): SettledAsk {
  const { minCursor, ...ask } = JSON.parse(text) as Omit<SettledAsk, "minCursor"> & { readonly minCursor: string };
  return { ...ask, minCursor: parseCursor(minCursor)! };
}
