/** Retention: moves `first held` at once, drops whole segments behind it slice by slice, and forgets old ids. */
import { LIMITS } from "../../core/limits.ts";
import type { LogState } from "./log-state.ts";
import type { Sweep } from "./log-facts.ts";

/** One slice of trimming. Answers whether another slice is due at once. */
export function trimSlice(log: LogState, now: number): boolean {
  const firstHeld = firstToHold(log, now);
  return log.storage.transactionSync(() => {
    if (firstHeld > log.ends.firstHeld) {
      log.ends = { ...log.ends, firstHeld };
      // Segments cannot tell the head once they are all gone, nor where inside one the log begins.
      log.meta.write("trim", log.ends);
    }
    return log.segments.dropBefore(log.ends.firstHeld);
  });
}

/** When retention by age is due next, milliseconds; null when it is not bounded by age or nothing is held. */
export function trimDueAt(log: LogState): number | null {
  const maxAgeMs = log.life?.retention.maxAgeMs;
  const oldest = maxAgeMs === undefined || log.ends.head < log.ends.firstHeld ? null : log.segments.oldestAppendedAt();
  return oldest === null ? null : oldest + maxAgeMs! + 1;
}

/** Retention by age is due then or sooner: what can be said without a row, for every flush. */
export const trimDueBy = (log: LogState): number =>
  log.ends.appendedAt + (log.life?.retention.maxAgeMs ?? Infinity) + 1;

/** Whether the log holds more than its retention by count or bytes allows; cheap enough for every flush. */
export function isOverBounds(log: LogState): boolean {
  const { maxEvents, maxBytes } = log.life?.retention ?? {};
  const { head, firstHeld } = log.ends;
  if (maxEvents !== undefined && head - firstHeld + 1 > maxEvents) return true;
  if (maxBytes === undefined || log.segments.bytesHeld(log.ends) <= maxBytes) return false;
  return log.segments.firstWithin(maxBytes, log.ends) > firstHeld; // One segment alone may be larger.
}

function firstToHold(log: LogState, now: number): number {
  const { maxAgeMs, maxEvents, maxBytes } = log.life?.retention ?? {};
  const bounds = [log.ends.firstHeld];
  if (maxAgeMs !== undefined) bounds.push(log.segments.firstSince(now - maxAgeMs, log.ends));
  if (maxEvents !== undefined) bounds.push(log.ends.head - maxEvents + 1);
  if (maxBytes !== undefined) bounds.push(log.segments.firstWithin(maxBytes, log.ends));
  return Math.max(...bounds);
}

/** One slice of forgetting what names events that are gone. Answers whether another slice is due at once. */
export function sweepSlice(log: LogState, now: number): boolean {
  const { firstHeld } = log.ends;
  const last = lastSweep(log);
  if (last.position === null && (!hasToForget(log, last) || now < last.finishedAt + LIMITS.DEDUP_KEEP_MS_MIN))
    return false;
  return log.storage.transactionSync(() => {
    const keysBefore = last.position === null ? firstHeld : last.keysBefore;
    const bounds = { firstHeld, keepSince: now - LIMITS.DEDUP_KEEP_MS_MIN, keysBefore };
    const first = log.life?.index === "key" ? "key_events" : "ids";
    const position = log.identities.sweep(last.position ?? { table: first, after: "" }, bounds);
    log.meta.write("sweep", { finishedAt: position === null ? now : last.finishedAt, position, keysBefore });
    return position !== null;
  });
}

/** When the next sweep is due; null when there is nothing to forget. */
export function sweepDueAt(log: LogState): number | null {
  const last = lastSweep(log);
  return hasToForget(log, last) ? last.finishedAt + LIMITS.DEDUP_KEEP_MS_MIN : null;
}

const lastSweep = (log: LogState): Sweep => log.meta.read("sweep") ?? { finishedAt: 0, position: null, keysBefore: 1 };

/** Only a log that was trimmed since the last sweep has keys to forget, so that one at rest sleeps for good. */
const hasToForget = (log: LogState, last: Sweep): boolean =>
  !log.identities.isEmpty() || (log.life?.index === "key" && log.ends.firstHeld > last.keysBefore);
