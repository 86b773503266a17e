/** Schedules that a clock far ahead has put where they stand come back when it is right again. */
import { standingBy } from "../../core/cron-schedule.ts";
import { LIMITS } from "../../core/limits.ts";
import { cronOccurrences } from "./cron-occurrences.ts";
import type { SchedulesStore } from "./schedules-store.ts";

/** Answers whether any has moved. */
export function keepTime(schedules: SchedulesStore, now: number): boolean {
  let hasMoved = false;
  for (const { definition, next, due, last } of schedules.list("", LIMITS.APP_SCHEDULES_MAX)) {
    if (due === null || due <= now + LIMITS.SCHEDULE_CATCH_UP_MS) continue; // Most are due within a day, and stay.
    const occurrences = cronOccurrences(definition.cron, definition.timeZone);
    if (!occurrences.ok) continue;
    const standing = standingBy(definition, occurrences.value, { next, due, last }, now);
    if (standing.due === due) continue;
    schedules.move(definition.name, standing);
    hasMoved = true;
  }
  return hasMoved;
}
