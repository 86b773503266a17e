/** What targets wrote down, held against what the hub says of itself. Pure: each check answers its complaints. */
import { BUSY_SECONDS } from "../builders/delivery-fates.ts";
import { wasTaken, type Attempt, type Stories, type Story } from "../builders/delivery-recorder.ts";
import type { WireEvent } from "../harness/socket.ts";

export interface Books {
  readonly matched: number;
  readonly delivered: number;
  readonly dead: number;
  readonly owed: number;
  readonly expired: number;
  readonly skipped: number;
  readonly discarded: number;
}

export const isBalanced = ({ matched, delivered, dead, owed, expired, skipped, discarded }: Books): boolean =>
  matched === delivered + dead + owed + expired + skipped + discarded;

/**
 * Books at rest, against the targets': what was taken is delivered, what never was is dead, and there is nothing else.
 * `expected` and `dead` are ids of events.
 */
export function wrongBooks(
  expected: ReadonlySet<string>,
  stories: Stories,
  books: Books,
  dead: readonly string[],
): string[] {
  const taken = new Set([...stories].filter(([, story]) => story.attempts.some(wasTaken)).map(([id]) => id));
  const inLetters = new Set(dead);
  const counts = { ...books, letters: dead.length };
  const right = { matched: expected.size, delivered: taken.size, dead: inLetters.size, letters: inLetters.size };
  const zero = { owed: 0, expired: 0, skipped: 0, discarded: 0 };
  return [
    ...Object.entries({ ...right, ...zero })
      .filter(([name, count]) => counts[name as keyof typeof counts] !== count)
      .map(([name, count]) => `${name} is ${counts[name as keyof typeof counts]} and not ${count}`),
    ...[...expected].filter((id) => !taken.has(id) && !inLetters.has(id)).map((id) => `${id} is lost`),
    ...[...expected].filter((id) => taken.has(id) && inLetters.has(id)).map((id) => `${id} was taken and is dead`),
    ...[...stories.keys()].filter((id) => !expected.has(id)).map((id) => `${id} was not for it`),
  ];
}

/** Lanes whose events were not taken for the first time in the order of the log. */
export function outOfOrder(stories: Stories, laneOf: (event: WireEvent) => string): string[] {
  const taken = [...stories.values()]
    .map(({ event, attempts }) => ({ event, turn: attempts.find(wasTaken)?.turn }))
    .filter((first): first is { event: WireEvent; turn: number } => first.turn !== undefined)
    .toSorted((left, right) => left.turn - right.turn);
  return [...Map.groupBy(taken, ({ event }) => laneOf(event))].flatMap(([lane, firsts]) =>
    firsts
      .filter(({ event }, index) => event.offset < (firsts[index - 1]?.event.offset ?? 0))
      .map(({ event }) => `in lane ${lane} ${event.offset} came late`),
  );
}

/** From the first signal until nothing lived, milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

/**
 * Events that came again although the hub must have heard that they were taken. When the plug is pulled, no more than
 * the last `inFlightMax` attempts can be unsettled; they come again when the hub is back.
 */
export function unexplainedRepeats(stories: Stories, outages: readonly Outage[], inFlightMax: number): string[] {
  const all = [...stories.values()].flatMap(({ attempts }) => attempts);
  const unsettled = outages.map(({ until }) => lastBefore(all, until, inFlightMax));
  const wasUnheard = (attempt: Attempt, next: Attempt): boolean =>
    attempt.fate === "cut" ||
    attempt.wasCut ||
    outages.some(({ until }, index) => unsettled[index]!.has(attempt) && next.at >= until);
  return [...stories].flatMap(([id, { attempts }]) =>
    attempts
      .slice(0, -1)
      .filter((attempt, index) => wasTaken(attempt) && !wasUnheard(attempt, attempts[index + 1]!))
      .map(({ turn }) => `${id} came again after turn ${turn}`),
  );
}

const lastBefore = (attempts: readonly Attempt[], until: number, count: number): ReadonlySet<Attempt> =>
  new Set(
    attempts
      .filter(({ at }) => at <= until)
      .toSorted((left, right) => left.turn - right.turn)
      .slice(-count),
  );

/** A delay counts from the end of the attempt before it; the ledger shortens a step by a fifth at most. */
const STEP_SHARE_MIN = 0.8;
/** Both clocks are rounded to whole milliseconds. */
const CLOCK_MS = 1;
/** The caller knows at once that it gave a hanging attempt up; a busy target notes it this much later. */
const NOTED_LATE_MS = 100;

/** `stepsMs`: before attempts 2, 3, …; the last repeats. */
export function earlyAttempts(stories: Stories, stepsMs: readonly number[]): string[] {
  return [...stories].flatMap(([id, { attempts }]) =>
    attempts.flatMap((attempt, index) => {
      const before = attempts[index - 1];
      if (before === undefined || before.answeredAt === null) return [];
      // A Worker's own call may hang on after the hub has given the Worker up.
      if (before.fate === "hung" && before.answeredAt > attempt.at) return [];
      if (before.fate === "taken" && !before.wasCut) return []; // A repeat is no retry: nobody promised when.
      const step = stepsMs[index - 1] ?? stepsMs.at(-1)!;
      const atLeastMs = before.fate === "busy" ? BUSY_SECONDS * 1_000 : step * STEP_SHARE_MIN;
      const waitedMs = attempt.at - before.answeredAt;
      return waitedMs < atLeastMs - (before.fate === "hung" ? NOTED_LATE_MS : CLOCK_MS)
        ? [`${id}: attempt ${index + 1} came ${waitedMs} ms after one that was ${before.fate}, and not ${atLeastMs}`]
        : [];
    }),
  );
}

/** Events that were attempted after the moment from which none was to be. */
export const attemptedAfter = (stories: Stories, at: number): string[] =>
  [...stories].filter(([, { attempts }]) => attempts.some((attempt) => attempt.at > at)).map(([id]) => id);

/** Deliveries that did not keep their one `webhook-id`. */
export const renamed = (stories: Stories): string[] =>
  [...stories].filter(([, { ids }]) => ids.size > 1).map(([id]) => id);

/** How long each event waited for its first attempt; null: there was none. */
export const firstWaitsMs = (stories: Stories, publishedAt: number, of: (story: Story) => boolean): number[] =>
  [...stories.values()].filter(of).map(({ attempts }) => attempts[0]!.at - publishedAt);
