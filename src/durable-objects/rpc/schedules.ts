/** What the Worker asks of an app's schedules, and what they ask of it. Types only, as in rpc.ts. */
import type { ScheduleDefinition } from "../../core/cron-schedule.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { Result } from "../../core/result.ts";

/** Times in milliseconds since 1970. */
export interface ScheduleReport {
  readonly definition: ScheduleDefinition;
  /** 1 for the first definition of the schedule, and one more for each that replaced it. */
  readonly revision: number;
  readonly createdAt: number;
  /** The next few occurrences; none when it is paused or over. */
  readonly next: readonly number[];
  /** What became of the latest occurrence; `code` where it was not published; null: there was none. */
  readonly last: { readonly at: number; readonly code: ErrorCode | null } | null;
  /** The occurrence that is being tried again, and why; null: none is. */
  readonly trying: { readonly at: number; readonly code: ErrorCode } | null;
}

/** One occurrence, to be published as any producer's event is. */
export interface Occurrence {
  readonly app: string;
  readonly schedule: string;
  readonly topic: string;
  /** A draft as JSON text. */
  readonly event: string;
  readonly id: string;
  readonly at: number;
}

export interface SchedulesRpc extends Rpc.DurableObjectBranded {
  /** By name, behind `after`; of each without its event, and its next occurrence alone. */
  list(after: string, limit: number): Promise<readonly ScheduleReport[]>;
  find(name: string): Promise<ScheduleReport | null>;
  /** Whether that could be a schedule. Fails with `schedule_invalid`. */
  check(definition: ScheduleDefinition): Promise<Result<null>>;
  /**
   * Makes or replaces it as it was read: `revision` 0 for none. Null: it is another by now. Fails with
   * `quota_exceeded` and as `check` does.
   */
  put(definition: ScheduleDefinition, revision: number): Promise<Result<ScheduleReport | null>>;
  /** False: there is none of that name. */
  remove(name: string): Promise<boolean>;
  /** The app is over: every schedule goes. */
  end(): Promise<void>;
}

export interface OccurrenceGate {
  /** Appends the occurrence, once however often it is asked. */
  occur(occurrence: Occurrence): Promise<Result<null>>;
}
