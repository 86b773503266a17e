/** Deliveries that failed or were redriven: waiting for their time, or gone out again in a dispatch. */
import type { AttemptRecord } from "../../core/delivery-decision.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import type { LaneName } from "./waiting-store.ts";

export interface Retry extends DeliveryPlace {
  readonly attemptsMade: number;
  readonly nextAt: number;
  /** The open dispatch that it goes with; null while it waits. */
  readonly dispatch: number | null;
  /** The lane that waits behind it; null: none does. */
  readonly lane: string | null;
  /** It was dead, or is delivered anew on purpose. */
  readonly redrive: boolean;
  /** How often it came back from the dead. */
  readonly redrives: number;
  /** Goes in a dispatch of its own, because its last claim lapsed: it may be what kills the consumer. */
  readonly alone: boolean;
  readonly owedSince: number;
  /** Its own copy of the event, if it was dead before. */
  readonly line: string | null;
  readonly attempts: readonly AttemptRecord[];
}

/** What choosing the next dispatch needs to know of one that waits. */
export interface DueRetry extends DeliveryPlace {
  readonly attemptsMade: number;
  readonly lane: string | null;
  readonly alone: boolean;
  readonly lineChars: number;
}

type Row = {
  source: number;
  offset: number;
  attempts_made: number;
  next_at: number;
  dispatch: number | null;
  lane: string | null;
  redrive: number;
  redrives: number;
  alone: number;
  owed_since: number;
  line: string | null;
  attempts: string;
};

export class RetryStore {
  readonly #sql: SqlStorage;
  #mayWait = true;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether any may wait for its time: a ledger where nothing fails asks for none. */
  get mayWait(): boolean {
    return this.#mayWait;
  }

  get({ source, offset }: DeliveryPlace): Retry | null {
    return this.#all(`SELECT * FROM retries WHERE source = ?1 AND offset = ?2`, source, offset)[0] ?? null;
  }

  /** Another store's statement has put some here. */
  expect(): void {
    this.#mayWait = true;
  }

  put(retry: Retry): void {
    this.#mayWait = true;
    this.#sql.exec(
      `INSERT INTO retries
         (source, offset, attempts_made, next_at, dispatch, lane, redrive, redrives, alone, owed_since, line, attempts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (source, offset) DO UPDATE SET attempts_made = excluded.attempts_made, next_at = excluded.next_at,
         dispatch = excluded.dispatch, alone = excluded.alone, attempts = excluded.attempts`,
      retry.source,
      retry.offset,
      retry.attemptsMade,
      retry.nextAt,
      retry.dispatch,
      retry.lane,
      Number(retry.redrive),
      retry.redrives,
      Number(retry.alone),
      retry.owedSince,
      retry.line,
      JSON.stringify(retry.attempts),
    );
  }

  assign({ source, offset }: DeliveryPlace, dispatch: number): void {
    this.#sql.exec(`UPDATE retries SET dispatch = ?3 WHERE source = ?1 AND offset = ?2`, source, offset, dispatch);
  }

  /** Due at once; false when it does not wait. */
  hasten({ source, offset }: DeliveryPlace, now: number): boolean {
    const sql = `UPDATE retries SET next_at = ?3 WHERE source = ?1 AND offset = ?2 AND dispatch IS NULL
      RETURNING offset`;
    return this.#sql.exec(sql, source, offset, now).toArray().length > 0;
  }

  hasLane({ source, lane }: LaneName): boolean {
    const sql = `SELECT 1 FROM retries WHERE source = ?1 AND lane = ?2 LIMIT 1`;
    return this.#sql.exec(sql, source, lane).toArray().length > 0;
  }

  hasSource(source: number): boolean {
    return this.#sql.exec(`SELECT 1 FROM retries WHERE source = ?1 LIMIT 1`, source).toArray().length > 0;
  }

  /** The first offset of a source that is owed for the first time, out again or not; null: none is. */
  firstOwed(source: number): number | null {
    const sql = `SELECT offset FROM retries WHERE source = ?1 AND redrive = 0 ORDER BY offset LIMIT 1`;
    return this.#sql.exec<{ offset: number }>(sql, source).toArray()[0]?.offset ?? null;
  }

  remove({ source, offset }: DeliveryPlace): void {
    this.#sql.exec(`DELETE FROM retries WHERE source = ?1 AND offset = ?2`, source, offset);
  }

  due(now: number, limit: number): DueRetry[] {
    if (!this.#mayWait) return [];
    return this.#sql
      .exec<Omit<DueRetry, "alone"> & { readonly alone: number }>(
        `SELECT source, offset, attempts_made AS attemptsMade, lane, alone,
           coalesce(length(line), 0) AS lineChars FROM retries
       WHERE dispatch IS NULL AND next_at <= ?1 ORDER BY next_at LIMIT ?2`,
        now,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, alone: row.alone === 1 }));
  }

  /** Never in a transaction: what that has sent out would wait again if it were rolled back, and nobody would look. */
  nextAt(): number | null {
    if (!this.#mayWait) return null;
    const sql = `SELECT min(next_at) AS at FROM retries WHERE dispatch IS NULL`;
    const { at } = this.#sql.exec<{ at: number | null }>(sql).one();
    this.#mayWait = at !== null;
    return at;
  }

  countWaiting(): number {
    const sql = `SELECT count(*) AS count FROM retries WHERE dispatch IS NULL`;
    return this.#sql.exec<{ count: number }>(sql).one().count;
  }

  /** When the one that has been owed longest began to be. */
  oldestOwedSince(): number | null {
    return this.#sql.exec<{ at: number | null }>(`SELECT min(owed_since) AS at FROM retries`).one().at;
  }

  /** Those that wait, after `place`. */
  listWaiting(after: DeliveryPlace, limit: number): Retry[] {
    return this.#all(
      `SELECT * FROM retries WHERE dispatch IS NULL AND (source, offset) > (?1, ?2) ORDER BY source, offset LIMIT ?3`,
      after.source,
      after.offset,
      limit,
    );
  }

  /** Drops what waits for a source whose events are gone, but what has its own copy. Answers how many. */
  dropWaiting(source: number): number {
    const sql = `DELETE FROM retries WHERE source = ?1 AND dispatch IS NULL AND line IS NULL RETURNING offset`;
    return this.#sql.exec(sql, source).toArray().length;
  }

  #all(sql: string, ...values: readonly number[]): Retry[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map((row) => ({
        source: row.source,
        offset: row.offset,
        attemptsMade: row.attempts_made,
        nextAt: row.next_at,
        dispatch: row.dispatch,
        lane: row.lane,
        redrive: row.redrive === 1,
        redrives: row.redrives,
        alone: row.alone === 1,
        owedSince: row.owed_since,
        line: row.line,
        attempts: JSON.parse(row.attempts) as AttemptRecord[],
      }));
  }
}
