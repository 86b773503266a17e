/** An app's schedules, a row each: what they are, and where each of them stands. */
import type { ScheduleDefinition, Standing } from "../../core/cron-schedule.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** `next` is null when there is none any more, and while it is paused; `due` with it. */
export interface ScheduleRow extends Standing {
  /** Minted. */
  readonly id: string;
  readonly revision: number;
  readonly definition: ScheduleDefinition;
  readonly createdAt: number;
  /** How often it failed, and why the last time. */
  readonly attempts: number;
  readonly failure: ErrorCode | null;
  /** The occurrence before it, and why it was not published; null: it was. */
  readonly last: number | null;
  readonly lastFailure: ErrorCode | null;
}

type Row = Omit<ScheduleRow, "definition"> & { definition: string; event: string };

const FACTS = `id, revision, definition, created_at AS createdAt, next, due, attempts, failure, last,
  last_failure AS lastFailure`;
const COLUMNS = `${FACTS}, event`;

export class SchedulesStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(name: string): ScheduleRow | null {
    return this.#rows(`SELECT ${COLUMNS} FROM schedules WHERE name = ?1`, name)[0] ?? null;
  }

  /** By name, behind `after`, without their events: many of them are read at once. */
  list(after: string, limit: number): ScheduleRow[] {
    return this.#rows(
      `SELECT ${FACTS}, '' AS event FROM schedules WHERE name > ?1 ORDER BY name LIMIT ?2`,
      after,
      limit,
    );
  }

  /** Those first that are due first. */
  due(now: number, limit: number): ScheduleRow[] {
    return this.#rows(`SELECT ${COLUMNS} FROM schedules WHERE due <= ?1 ORDER BY due LIMIT ?2`, now, limit);
  }

  nextDueAt(): number | null {
    return this.#sql.exec<{ due: number | null }>(`SELECT min(due) AS due FROM schedules WHERE due IS NOT NULL`).one()
      .due;
  }

  count(): number {
    return this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM schedules`).one().count;
  }

  put(row: ScheduleRow): void {
    const { event, ...definition } = row.definition;
    this.#sql.exec(
      `INSERT OR REPLACE INTO schedules (name, id, revision, definition, event, created_at, next, due, attempts,
         failure, last, last_failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      definition.name,
      row.id,
      row.revision,
      JSON.stringify(definition),
      event,
      row.createdAt,
      row.next,
      row.due,
      row.attempts,
      row.failure,
      row.last,
      row.lastFailure,
    );
  }

  /** What was tried there was another occurrence. */
  move(name: string, { next, due }: Standing): void {
    const sql = `UPDATE schedules SET attempts = iif(next = ?2, attempts, 0), failure = iif(next = ?2, failure, NULL),
      next = ?2, due = ?3 WHERE name = ?1`;
    this.#sql.exec(sql, name, next, due);
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    return this.#sql.exec(`DELETE FROM schedules WHERE name = ?1 RETURNING name`, name).toArray().length > 0;
  }

  #rows(sql: string, ...values: readonly (string | number)[]): ScheduleRow[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map(({ definition, event, ...row }) => ({
        ...row,
        definition: { ...(JSON.parse(definition) as Omit<ScheduleDefinition, "event">), event },
      }));
  }
}
