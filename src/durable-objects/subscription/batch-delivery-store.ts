/** Deliveries that are jobs of a batch which counts on this subscription, and the batches that were cancelled. */
import type { BatchJobReport } from "../../core/job-batch.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";

export interface BatchDelivery extends DeliveryPlace {
  readonly batch: string;
  readonly index: number;
  readonly run: number;
}

/** One that has ended: its batch is to be told. */
export interface EndedDelivery extends BatchDelivery, Pick<BatchJobReport, "outcome" | "reason"> {}

type Outcome = BatchJobReport["outcome"];
type Row = Record<"source" | "offset" | "job" | "run", number> &
  Record<"batch", string> &
  Record<"outcome" | "reason", string | null>;

export class BatchDeliveryStore {
  readonly #sql: SqlStorage;
  /** Whether there may be any: a ledger that knows no batch asks for none. */
  #mayHold: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#mayHold = sql.exec(`SELECT 1 FROM batch_jobs LIMIT 1`).toArray().length > 0;
  }

  get mayHold(): boolean {
    return this.#mayHold;
  }

  /** Delivered anew after a seek or a replay it is the same row no more: what it was is forgotten. */
  insert({ source, offset, batch, index, run }: BatchDelivery): void {
    this.#mayHold = true;
    const sql = `INSERT OR REPLACE INTO batch_jobs (source, offset, batch, job, run) VALUES (?1, ?2, ?3, ?4, ?5)`;
    this.#sql.exec(sql, source, offset, batch, index, run);
  }

  /** Null: it is no job, or one that has ended. */
  get({ source, offset }: DeliveryPlace): BatchDelivery | null {
    if (!this.#mayHold) return null;
    const sql = `SELECT * FROM batch_jobs WHERE source = ?1 AND offset = ?2 AND outcome IS NULL`;
    return this.#all(sql, source, offset)[0] ?? null;
  }

  end({ source, offset }: DeliveryPlace, outcome: Outcome, reason: string | null): void {
    if (!this.#mayHold) return;
    const sql = `UPDATE batch_jobs SET outcome = ?3, reason = ?4
      WHERE source = ?1 AND offset = ?2 AND outcome IS NULL`;
    this.#sql.exec(sql, source, offset, outcome, reason);
  }

  /** All of one source that have not ended. */
  endSource(source: number, outcome: Outcome, reason: string | null): void {
    const sql = `UPDATE batch_jobs SET outcome = ?2, reason = ?3 WHERE source = ?1 AND outcome IS NULL`;
    this.#sql.exec(sql, source, outcome, reason);
  }

  openOf(batch: string): BatchDelivery[] {
    return this.#all(`SELECT * FROM batch_jobs WHERE batch = ?1 AND outcome IS NULL`, batch);
  }

  endedOf(batch: string): EndedDelivery[] {
    return this.#all(`SELECT * FROM batch_jobs WHERE batch = ?1 AND outcome IS NOT NULL`, batch) as EndedDelivery[];
  }

  /** Some that have ended, of one batch. */
  someEnded(limit: number): EndedDelivery[] {
    if (!this.#mayHold) return [];
    const sql = `SELECT * FROM batch_jobs WHERE outcome IS NOT NULL
      AND batch = (SELECT batch FROM batch_jobs WHERE outcome IS NOT NULL LIMIT 1) LIMIT ?1`;
    return this.#all(sql, limit) as EndedDelivery[];
  }

  hasEnded(): boolean {
    return this.someEnded(1).length > 0;
  }

  /** Its batch has been told; one that came again meanwhile stays. */
  removeEnded({ source, offset }: DeliveryPlace): void {
    const sql = `DELETE FROM batch_jobs WHERE source = ?1 AND offset = ?2 AND outcome IS NOT NULL`;
    this.#sql.exec(sql, source, offset);
  }

  cancel(batch: string, now: number): void {
    const keepFrom = now - LIMITS.BATCH_CANCELLED_KEEP_MS;
    this.#sql.exec(`DELETE FROM cancelled_batches WHERE cancelled_at < ?1`, keepFrom);
    this.#sql.exec(`INSERT OR IGNORE INTO cancelled_batches (batch, cancelled_at) VALUES (?1, ?2)`, batch, now);
  }

  isCancelled(batch: string): boolean {
    return this.#sql.exec(`SELECT 1 FROM cancelled_batches WHERE batch = ?1`, batch).toArray().length > 0;
  }

  #all(sql: string, ...values: readonly (string | number)[]): (BatchDelivery | EndedDelivery)[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map(({ job, outcome, ...row }) => ({ index: job, outcome: outcome as Outcome, ...row }));
  }
}
