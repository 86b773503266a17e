/** Retention: moves `first held` at once, drops whole segments behind it slice by slice, and forgets old ids. */
import { LIMITS } from "../../core/limits.ts";
import type { LogState } from "./log-state.ts";

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

/** Whether the log holds more than its retention by count or bytes allows; cheap enough for every flush. */
export function isOverBounds(log: LogState): boolean {
  const { maxEvents, maxBytes } = log.life?.retention ?? {};
  const { head, firstHeld } = log.ends;
  if (maxEvents !== undefined && head - firstHeld + 1 > maxEvents) return true;
  return maxBytes !== undefined && log.segments.bytesHeld(log.ends) > maxBytes;
}

function firstToHold(log: LogState, now: number): number {
  const { maxAgeMs, maxEvents, maxBytes } = log.life?.retention ?? {};
  const bounds = [log.ends.firstHeld];
  if (maxAgeMs !== undefined) bounds.push(log.segments.firstSince(now - maxAgeMs, log.ends));
  if (maxEvents !== undefined) bounds.push(log.ends.head - maxEvents + 1);
  if (maxBytes !== undefined) bounds.push(log.segments.firstWithin(maxBytes, log.ends));
  return Math.max(...bounds);
}

/** One slice of forgetting identities whose time is over. Answers whether another slice is due at once. */
export function sweepSlice(log: LogState, now: number): boolean {
  const sweep = log.meta.read("sweep") ?? { finishedAt: 0, position: null };
  const rests = now - sweep.finishedAt < LIMITS.DEDUP_KEEP_MS_MIN || log.identities.isEmpty();
  if (sweep.position === null && rests) return false;
  return log.storage.transactionSync(() => {
    const position = log.identities.sweep(
      sweep.position ?? { table: "ids", after: "" },
      log.ends.firstHeld,
      now - LIMITS.DEDUP_KEEP_MS_MIN,
    );
    log.meta.write("sweep", { finishedAt: position === null ? now : sweep.finishedAt, position });
    return position !== null;
  });
}

/** When the next sweep is due; null when there is nothing to forget. */
export function sweepDueAt(log: LogState): number | null {
  if (log.identities.isEmpty()) return null;
  return (log.meta.read("sweep")?.finishedAt ?? 0) + LIMITS.DEDUP_KEEP_MS_MIN;
}
