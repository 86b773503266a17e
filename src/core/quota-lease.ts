/**
 * Quotas over time: counted by one meter for each app, in windows of UTC. The meter lends units in chunks, which
 * isolates then spend without asking. What is lent counts as spent, so together they never spend more than the limit,
 * whatever becomes of an isolate; at worst a lost chunk is missing until its window ends.
 */
import type { QuotaName } from "./quotas.ts";

export type RateName = Extract<QuotaName, "requestsPerSecond" | "eventsPerDay" | "bytesPerDay">;

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

export const RATE_WINDOW_MS: Readonly<Record<RateName, number>> = {
  requestsPerSecond: SECOND_MS,
  eventsPerDay: DAY_MS,
  bytesPerDay: DAY_MS,
};

/** A chunk is a tenth of what remains: large while there is much, and a single unit when the end is near. */
const CHUNKS_OF_REMAINDER = 10;

/** What one window has lent so far. `window` counts windows since 1970. */
export interface WindowCount {
  readonly window: number;
  readonly lent: number;
}

export interface LeaseAsk {
  /** The id of a key, or `app` for all of them together. */
  readonly subject: string;
  readonly rate: RateName;
  readonly limit: number;
  /** What is needed now; less is of no use. */
  readonly units: number;
}

export interface LeaseAnswer {
  /** At least what was needed; 0 when less than that is left. */
  readonly units: number;
  /** What the window has left to lend after this. */
  readonly remaining: number;
  /** When the window ends and the units lapse, milliseconds. */
  readonly endsAt: number;
}

/** Units that nobody needed, of a window that may still run. */
export interface LeaseReturn extends Pick<LeaseAsk, "subject" | "rate" | "units"> {
  readonly endsAt: number;
}

/** What the meter answers and remembers. A clock that steps back does not open a past window again. */
export function lend(
  known: WindowCount | null,
  ask: LeaseAsk,
  now: number,
): { readonly count: WindowCount; readonly answer: LeaseAnswer } {
  const windowMs = RATE_WINDOW_MS[ask.rate];
  const current = Math.floor(now / windowMs);
  const { window, lent } = known === null || known.window < current ? { window: current, lent: 0 } : known;
  const left = Math.max(0, ask.limit - lent);
  const units = ask.units > left ? 0 : Math.max(ask.units, Math.floor(left / CHUNKS_OF_REMAINDER));
  return {
    count: { window, lent: lent + units },
    answer: { units, remaining: left - units, endsAt: (window + 1) * windowMs },
  };
}

/** The count after units came back; null when their window is over. */
export function takeBack(known: WindowCount | null, { rate, units, endsAt }: LeaseReturn): WindowCount | null {
  if (known === null || (known.window + 1) * RATE_WINDOW_MS[rate] !== endsAt) return null;
  return { window: known.window, lent: Math.max(0, known.lent - units) };
}
