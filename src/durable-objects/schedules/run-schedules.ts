/**
 * Publishes what is due. Where a schedule stands moves on only when its occurrence was answered for, so whatever
 * becomes of the hub in between, it is asked again, and the log knows the occurrence by its id.
 */
import { dueOccurrence, nextOccurrence, occurrenceDelayMs, occurrenceId } from "../../core/cron-schedule.ts";
import { ERRORS, type ErrorCode } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { logStage } from "../../observability/log.ts";
import type { OccurrenceGate } from "../rpc/schedules.ts";
import { cronOccurrences } from "./cron-occurrences.ts";
import type { ScheduleRow, SchedulesStore } from "./schedules-store.ts";

export interface SchedulesWork {
  readonly app: string;
  readonly schedules: SchedulesStore;
  readonly gate: OccurrenceGate;
}

/** One occurrence of each that is due, of a bounded number of schedules. Answers whether the app is over. */
export async function runSchedules(work: SchedulesWork, now: number): Promise<{ readonly isOver: boolean }> {
  const due = work.schedules.due(now, LIMITS.SCHEDULES_PER_TURN_MAX);
  let isOver = false;
  const lane = async (): Promise<void> => {
    for (let row = due.shift(); row !== undefined && !isOver; row = due.shift()) {
      isOver = (await publishDue(work, row, now)) === "app_not_found" || isOver;
    }
  };
  await Promise.all(Array.from({ length: LIMITS.SCHEDULES_AT_ONCE_MAX }, lane));
  return { isOver };
}

/** Answers why it was not published; null: it was. */
async function publishDue({ app, schedules, gate }: SchedulesWork, row: ScheduleRow, now: number) {
  const { definition } = row;
  const { name: schedule, topic, event } = definition;
  const occurrences = cronOccurrences(definition.cron, definition.timeZone);
  if (!occurrences.ok) return parkUnreadable(schedules, row, occurrences.failure.code);
  const at = dueOccurrence(definition, occurrences.value, row.next!, now);
  const code = await occur(gate, { app, schedule, topic, event, id: occurrenceId(row.id, at), at });
  const current = schedules.find(schedule);
  // Replaced or removed meanwhile: the new one stands where it was put.
  if (current?.id !== row.id || current.revision !== row.revision) return code;
  if (code !== null && isWorthTrying(code, row)) {
    const attempts = row.attempts + 1;
    schedules.put({ ...row, next: at, due: now + occurrenceDelayMs(attempts), attempts, failure: code });
    return code;
  }
  if (code !== null) logStage("schedule.occurrence_failed", { app, schedule, topic, at, code });
  const next = nextOccurrence(definition, occurrences.value, at);
  schedules.put({ ...row, next, due: next, attempts: 0, failure: null, last: at, lastFailure: code });
  return code;
}

async function occur(gate: OccurrenceGate, occurrence: Parameters<OccurrenceGate["occur"]>[0]) {
  try {
    const published = await gate.occur(occurrence);
    return published.ok ? null : published.failure.code;
  } catch {
    return "hub_overloaded" satisfies ErrorCode; // It may have been appended: its id tells.
  }
}

const isWorthTrying = (code: ErrorCode, { attempts }: ScheduleRow): boolean =>
  ERRORS[code].retryable && attempts + 1 < LIMITS.SCHEDULE_ATTEMPTS_MAX;

/** A time zone that this runtime does not know any more. It stands still, and says why. */
function parkUnreadable(schedules: SchedulesStore, row: ScheduleRow, code: ErrorCode): ErrorCode {
  schedules.put({ ...row, due: null, failure: code });
  return code;
}
