/** Deliveries that wait behind others of their lane and have not been attempted: a row each, without the event. */
import type { DeliveryPlace } from "../../core/ledger-ids.ts";

export interface LaneName {
  readonly source: number;
  readonly lane: string;
}

export interface WaitingDelivery extends DeliveryPlace, LaneName {
  /** When it was examined. */
  readonly owedSince: number;
}

const COLUMNS = `source, lane, offset, owed_since AS owedSince`;

export class WaitingStore {
  readonly #sql: SqlStorage;
  #mayBeFree = true;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether some lane may be free: a ledger where nothing waits behind another asks for none. */
  get mayBeFree(): boolean {
    return this.#mayBeFree;
  }

  insert({ source, lane, offset, owedSince }: WaitingDelivery): void {
    this.#sql.exec(
      `INSERT INTO waiting (source, lane, offset, owed_since, next) VALUES (?, ?, ?, ?, 0)`,
      source,
      lane,
      offset,
      owedSince,
    );
  }

  hasLane({ source, lane }: LaneName): boolean {
    const sql = `SELECT 1 FROM waiting WHERE source = ?1 AND lane = ?2 LIMIT 1`;
    return this.#sql.exec(sql, source, lane).toArray().length > 0;
  }

  hasSource(source: number): boolean {
    return this.#sql.exec(`SELECT 1 FROM waiting WHERE source = ?1 LIMIT 1`, source).toArray().length > 0;
  }

  /** The first offset of a source that waits; null: none does. */
  firstOwed(source: number): number | null {
    const sql = `SELECT min(offset) AS offset FROM waiting WHERE source = ?1`;
    return this.#sql.exec<{ offset: number | null }>(sql, source).one().offset;
  }

  /** The lane is free: its first delivery is the next to go. */
  free({ source, lane }: LaneName): void {
    this.#mayBeFree = true;
    this.#sql.exec(
      `UPDATE waiting SET next = 1 WHERE source = ?1 AND lane = ?2 AND next = 0
         AND offset = (SELECT min(offset) FROM waiting WHERE source = ?1 AND lane = ?2)`,
      source,
      lane,
    );
  }

  /** Lanes that are free, those first that have waited longest. Never in a transaction, which may be rolled back. */
  freeLanes(limit: number): LaneName[] {
    if (!this.#mayBeFree) return [];
    const sql = `SELECT source, lane FROM waiting WHERE next = 1 ORDER BY owed_since LIMIT ?1`;
    const lanes = this.#sql.exec<{ source: number; lane: string }>(sql, limit).toArray();
    this.#mayBeFree = lanes.length > 0;
    return lanes;
  }

  /** The first deliveries of a lane, which wait no longer. */
  take({ source, lane }: LaneName, limit: number): WaitingDelivery[] {
    const taken = this.#all(
      `SELECT ${COLUMNS} FROM waiting WHERE source = ?1 AND lane = ?2 ORDER BY offset LIMIT ?3`,
      source,
      lane,
      limit,
    );
    const last = taken.at(-1);
    if (last !== undefined) {
      const sql = `DELETE FROM waiting WHERE source = ?1 AND lane = ?2 AND offset <= ?3`;
      this.#sql.exec(sql, source, lane, last.offset);
    }
    return taken;
  }

  /** All of them are due at once, in no lane. */
  moveToRetries(now: number): void {
    this.#sql.exec(
      `INSERT INTO retries (source, offset, attempts_made, next_at, redrive, alone, owed_since, attempts)
       SELECT source, offset, 0, ?1, 0, 0, owed_since, '[]' FROM waiting`,
      now,
    );
    this.#sql.exec(`DELETE FROM waiting`);
  }

  count(): number {
    return this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM waiting`).one().count;
  }

  oldestOwedSince(): number | null {
    return this.#sql.exec<{ at: number | null }>(`SELECT min(owed_since) AS at FROM waiting`).one().at;
  }

  /** After `place`, by source and offset. */
  list(after: DeliveryPlace, limit: number): WaitingDelivery[] {
    return this.#all(
      `SELECT ${COLUMNS} FROM waiting WHERE (source, offset) > (?1, ?2) ORDER BY source, offset LIMIT ?3`,
      after.source,
      after.offset,
      limit,
    );
  }

  /** Answers how many there were. */
  dropSource(source: number): number {
    return this.#sql.exec(`DELETE FROM waiting WHERE source = ?1 RETURNING offset`, source).toArray().length;
  }

  #all(sql: string, ...values: readonly (string | number)[]): WaitingDelivery[] {
    type Row = { source: number; lane: string; offset: number; owedSince: number };
    return this.#sql.exec<Row>(sql, ...values).toArray();
  }
}
