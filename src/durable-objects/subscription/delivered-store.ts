/** What was delivered last, with its attempts: kept where the owner asks for all of them, and only so many. */
import type { AttemptRecord } from "../../core/delivery-decision.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";

export interface DeliveredRow extends DeliveryPlace {
  /** The order in which they were delivered. */
  readonly seq: number;
  readonly attempts: readonly AttemptRecord[];
  /** How often it came back from the dead before. */
  readonly redrives: number;
}

type Row = { seq: number; source: number; offset: number; attempts: string; redrives: number };

/** Rows that go together: one that comes need not drop one each time. */
const DROPPED_TOGETHER = 100;

export class DeliveredStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  insert({ source, offset }: DeliveryPlace, attempts: readonly AttemptRecord[], redrives = 0): void {
    const { seq } = this.#sql
      .exec<{ seq: number }>(
        `INSERT INTO delivered (source, offset, attempts, redrives) VALUES (?1, ?2, ?3, ?4) RETURNING seq`,
        source,
        offset,
        JSON.stringify(attempts),
        redrives,
      )
      .one();
    if (seq % DROPPED_TOGETHER !== 0) return;
    this.#sql.exec(`DELETE FROM delivered WHERE seq <= ?1`, seq - LIMITS.KEPT_DELIVERIES_MAX);
  }

  /** After `after`, the newest last. */
  list(after: number, limit: number): DeliveredRow[] {
    return this.#all(`SELECT * FROM delivered WHERE seq > ?1 ORDER BY seq LIMIT ?2`, after, limit);
  }

  /** Delivered again by a redrive it is here twice: the newest. */
  find({ source, offset }: DeliveryPlace): DeliveredRow | null {
    const sql = `SELECT * FROM delivered WHERE source = ?1 AND offset = ?2 ORDER BY seq DESC LIMIT 1`;
    return this.#all(sql, source, offset)[0] ?? null;
  }

  #all(sql: string, ...values: readonly number[]): DeliveredRow[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map((row) => ({ ...row, attempts: JSON.parse(row.attempts) as AttemptRecord[] }));
  }
}
