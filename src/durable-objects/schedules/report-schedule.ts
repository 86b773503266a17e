/** A schedule as it is shown: its definition, what comes, and what became of what came. */
import { nextOccurrence } from "../../core/cron-schedule.ts";
import type { ScheduleReport } from "../rpc/schedules.ts";
import { cronOccurrences } from "./cron-occurrences.ts";
import type { ScheduleRow } from "./schedules-store.ts";

/** `shown`: of how many occurrences it tells. */
export function reportOf(row: ScheduleRow, shown = 5): ScheduleReport {
  const { definition, revision, createdAt, next, failure, last, lastFailure } = row;
  return {
    definition,
    revision,
    createdAt,
    next: upcoming(row, shown),
    last: last === null ? null : { at: last, code: lastFailure },
    trying: next === null || failure === null ? null : { at: next, code: failure },
  };
}

function upcoming({ definition, next }: ScheduleRow, count: number): number[] {
  const occurrences = cronOccurrences(definition.cron, definition.timeZone);
  const times: number[] = [];
  for (let at = next; at !== null && times.length < count;) {
    times.push(at);
    at = occurrences.ok ? nextOccurrence(definition, occurrences.value, at) : null;
  }
  return times;
}
