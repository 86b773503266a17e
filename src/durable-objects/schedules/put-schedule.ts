/** A schedule is made, or becomes another. */
import { goesOnFrom, nextOccurrence, type ScheduleDefinition, type Standing } from "../../core/cron-schedule.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { cronOccurrences } from "./cron-occurrences.ts";
import type { ScheduleRow, SchedulesStore } from "./schedules-store.ts";

/** One transaction. Null: it is not of that revision any more. Fails with `quota_exceeded`. */
export function putSchedule(
  storage: DurableObjectStorage,
  schedules: SchedulesStore,
  definition: ScheduleDefinition,
  revision: number,
  now: number,
): Result<ScheduleRow | null> {
  return storage.transactionSync(() => {
    const before = schedules.find(definition.name);
    if ((before?.revision ?? 0) !== revision) return ok(null);
    const limit = LIMITS.APP_SCHEDULES_MAX;
    if (before === null && schedules.count() >= limit)
      return fail("quota_exceeded", "There are as many schedules as there may be.", { limit });
    const row = before === null ? newRow(definition, now) : changedRow(before, definition, now);
    schedules.put(row);
    return ok(row);
  });
}

function newRow(definition: ScheduleDefinition, now: number): ScheduleRow {
  const id = crypto.randomUUID().replaceAll("-", "");
  const state = { attempts: 0, failure: null, last: null, lastFailure: null };
  return { id, revision: 1, definition, createdAt: now, ...state, ...standing(definition, now) };
}

/** What does not change when it is due does not change where it stands, or what it owes. */
function changedRow(before: ScheduleRow, definition: ScheduleDefinition, now: number): ScheduleRow {
  const row = { ...before, definition, revision: before.revision + 1 };
  if (timesOf(before.definition) === timesOf(definition)) return row;
  return { ...row, attempts: 0, failure: null, ...standing(definition, goesOnFrom(before.last, now)) };
}

const timesOf = ({ cron, timeZone, startAt, endAt, paused }: ScheduleDefinition): string =>
  JSON.stringify([cron, timeZone, startAt, endAt, paused]);

function standing(definition: ScheduleDefinition, from: number): Standing {
  const occurrences = cronOccurrences(definition.cron, definition.timeZone);
  const next = occurrences.ok ? nextOccurrence(definition, occurrences.value, from) : null;
  return { next, due: next };
}
