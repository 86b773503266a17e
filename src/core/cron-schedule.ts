/**
 * What a schedule is, and which of its occurrences comes next. An occurrence is an instant; it is published once,
 * because its event's id is made of the schedule and that instant.
 */
import { LIMITS } from "./limits.ts";

export interface ScheduleDefinition {
  readonly name: string;
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** By its IANA name. */
  readonly timeZone: string;
  readonly topic: string;
  /** A draft as JSON text, as it came: without an id and a time of its own. */
  readonly event: string;
  /** No occurrence before the one and after the other, milliseconds; null: no bound. */
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly paused: boolean;
  /** What of that which was missed is made up for: see `dueOccurrence`. */
  readonly catchUp: "last" | "all";
}

/** A cron expression in its time zone: instants in milliseconds since 1970, null where there is none. */
export interface Occurrences {
  /** The first one later than `at`. */
  after(at: number): number | null;
  /** The last one not later than `at`. */
  lastThrough(at: number): number | null;
}

/** What is published for the first time after `at`; null: nothing any more, or while it is paused. */
export function nextOccurrence(
  { startAt, endAt, paused }: ScheduleDefinition,
  occurrences: Occurrences,
  at: number,
): number | null {
  if (paused) return null;
  const next = occurrences.after(startAt === null ? at : Math.max(at, startAt - 1));
  return next === null || (endAt !== null && next > endAt) ? null : next;
}

/**
 * `next` is due: the occurrence that is published now. One that is late by a moment is made up for in any case; of what
 * was missed for longer (the hub was down, or could not publish) all of a day, or only the last.
 */
export function dueOccurrence(
  { endAt, catchUp }: ScheduleDefinition,
  occurrences: Occurrences,
  next: number,
  now: number,
): number {
  const until = Math.min(now, endAt ?? now);
  const since = now - (catchUp === "all" ? LIMITS.SCHEDULE_CATCH_UP_MS : LIMITS.SCHEDULE_LATE_MS);
  if (next >= since) return next;
  const recent = occurrences.after(since - 1);
  if (recent !== null && recent <= until) return recent;
  return Math.max(next, occurrences.lastThrough(until) ?? next);
}

/** Where a schedule stands: the occurrence that comes next, and when that is to be tried. */
export interface Standing {
  readonly next: number | null;
  readonly due: number | null;
}

/**
 * Where it stands by a clock that may have been far ahead when it was put there: no later than its expression says, or
 * than the next try of what failed may be. `last`: the occurrence before.
 */
export function standingBy(
  definition: ScheduleDefinition,
  occurrences: Occurrences,
  { next, due, last }: Standing & { readonly last: number | null },
  now: number,
): Standing {
  if (next === null || due === null) return { next, due };
  if (next <= now) return { next, due: Math.min(due, now + LIMITS.SCHEDULE_RETRY_MS_MAX) };
  const first = nextOccurrence(definition, occurrences, goesOnFrom(last, now));
  return first === null || first >= next ? { next, due } : { next: first, due: first };
}

/**
 * A clock that was set back brings no occurrence again: it goes on behind the last one. Where that lies ahead by more
 * than a day, the clock was wrong when it came, and it goes on from now.
 */
export const goesOnFrom = (last: number | null, now: number): number =>
  last === null || last - now > LIMITS.SCHEDULE_CATCH_UP_MS ? now : Math.max(now, last);

/** The id of the event that an occurrence becomes. `schedule`: minted, so that another one of the name has others. */
export const occurrenceId = (schedule: string, at: number): string => `sch_${schedule}_${at}`;

/** How long after its `attempts`th failure an occurrence is tried again. */
export const occurrenceDelayMs = (attempts: number): number =>
  Math.min(LIMITS.SCHEDULE_RETRY_MS * 2 ** Math.min(attempts - 1, 16), LIMITS.SCHEDULE_RETRY_MS_MAX);
