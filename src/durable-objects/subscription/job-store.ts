/** Jobs: work on many deliveries, a slice a transaction, that goes on after the request which asked for it. */
import type { DeadLetterChoice } from "../../core/dead-letter.ts";
import type { FilterPattern } from "../../core/filter-pattern.ts";
import type { JobState } from "../../core/job.ts";

/** What is to be done. */
export type JobSpec =
  | { readonly kind: "redrive" | "discard"; readonly choice: DeadLetterChoice }
  /** The dead letters of a range. */
  | { readonly kind: "replay"; readonly mode: "failed"; readonly choice: DeadLetterChoice }
  /** The ranges are its sources; the filter narrows beside the subscription's own. */
  | { readonly kind: "replay"; readonly mode: "force" | "missing"; readonly filter: FilterPattern | null };

/** When the next slice of a job is due that waits for its deliveries and not for a time. */
export const UNTIMED = Number.MAX_SAFE_INTEGER;

export interface Job {
  readonly id: number;
  readonly spec: JobSpec;
  readonly state: JobState;
  /** How many there were to it when it was made. */
  readonly matched: number;
  readonly done: number;
  /** Of a replay: what those of its sources let through that are no rows any more. */
  readonly replayed: number;
  /** How far it has come: the last dead letter looked at, or of a replay the time when it was granted more. */
  readonly after: number;
  /** The last dead letter that is its own. */
  readonly until: number;
  /** Null: as fast as it goes. */
  readonly ratePerSecond: number | null;
  /** Of the next slice; or, while it is being worked on, when the alarm looks whether somebody still does. */
  readonly nextAt: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

export type NewJob = Pick<Job, "spec" | "matched" | "until" | "ratePerSecond" | "createdAt">;

/** Ended jobs that are still told of. */
const ENDED_KEPT = 100;

type Row = {
  id: number;
  spec: string;
  state: string;
  matched: number;
  done: number;
  replayed: number;
  after: number;
  until: number;
  per_second: number | null;
  next_at: number;
  created_at: number;
  ended_at: number | null;
};

export class JobStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Its number is never used again: the newest stays, however long ago it ended. */
  insert(job: NewJob): Job {
    this.#sql.exec(`DELETE FROM jobs WHERE state <> 'running' AND id <= (SELECT max(id) FROM jobs) - ?1`, ENDED_KEPT);
    return this.#all(
      `INSERT INTO jobs (id, spec, state, matched, done, after, until, per_second, next_at, created_at, ended_at)
       VALUES ((SELECT coalesce(max(id), 0) + 1 FROM jobs), ?1, 'running', ?2, 0, 0, ?3, ?4, ?5, ?5, NULL) RETURNING *`,
      JSON.stringify(job.spec),
      job.matched,
      job.until,
      job.ratePerSecond,
      job.createdAt,
    )[0]!;
  }

  get(id: number): Job | null {
    return this.#all(`SELECT * FROM jobs WHERE id = ?1`, id)[0] ?? null;
  }

  due(now: number): number[] {
    const sql = `SELECT id FROM jobs WHERE state = 'running' AND next_at <= ?1 ORDER BY next_at`;
    return this.#sql
      .exec<{ id: number }>(sql, now)
      .toArray()
      .map(({ id }) => id);
  }

  nextAt(): number | null {
    const sql = `SELECT min(next_at) AS at FROM jobs WHERE state = 'running' AND next_at < ?1`;
    return this.#sql.exec<{ at: number | null }>(sql, UNTIMED).one().at;
  }

  /** The number of the newest; 0: there was none. */
  lastNumber(): number {
    return this.#sql.exec<{ id: number }>(`SELECT coalesce(max(id), 0) AS id FROM jobs`).one().id;
  }

  countRunning(): number {
    const sql = `SELECT count(*) AS count FROM jobs WHERE state = 'running'`;
    return this.#sql.exec<{ count: number }>(sql).one().count;
  }

  progress({ id }: Pick<Job, "id">, { done, after, nextAt }: Pick<Job, "done" | "after" | "nextAt">): void {
    const sql = `UPDATE jobs SET done = ?2, after = ?3, next_at = ?4 WHERE id = ?1`;
    this.#sql.exec(sql, id, done, after, nextAt);
  }

  addDone(id: number, done: number): void {
    this.#sql.exec(`UPDATE jobs SET done = done + ?2 WHERE id = ?1`, id, done);
  }

  defer(id: number, nextAt: number): void {
    this.#sql.exec(`UPDATE jobs SET next_at = ?2 WHERE id = ?1`, id, nextAt);
  }

  end(id: number, state: Exclude<JobState, "running">, now: number): void {
    this.#sql.exec(`UPDATE jobs SET state = ?2, ended_at = ?3 WHERE id = ?1 AND state = 'running'`, id, state, now);
  }

  #all(sql: string, ...values: readonly (string | number | null)[]): Job[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map((row) => ({
        id: row.id,
        spec: JSON.parse(row.spec) as JobSpec,
        state: row.state as JobState,
        matched: row.matched,
        done: row.done,
        replayed: row.replayed,
        after: row.after,
        until: row.until,
        ratePerSecond: row.per_second,
        nextAt: row.next_at,
        createdAt: row.created_at,
        endedAt: row.ended_at,
      }));
  }
}
