/** The batches of an app, to be found and listed by. The only SQL about them in D1. */
import type { AuditEntry } from "../core/audit.ts";
import type { BatchState } from "../core/job-batch.ts";
import { LIMITS } from "../core/limits.ts";
import { auditStatement } from "./audit-store.ts";

export interface BatchRow {
  readonly app: string;
  readonly id: string;
  readonly name: string | null;
  readonly topic: string;
  /** `making`: its object has not said yet that it stands. It is found by its id, and in no list. */
  readonly state: BatchState | "making";
  readonly createdAt: number;
}

type NewBatchRow = Omit<BatchRow, "state">;

const COLUMNS = `app, id, name, topic, state, created_at AS createdAt`;

export class BatchesStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(app: string, id: string): Promise<BatchRow | null> {
    return this.#db
      .prepare(`SELECT ${COLUMNS} FROM batches WHERE app = ?1 AND id = ?2`)
      .bind(app, id)
      .first<BatchRow>();
  }

  /** In the state `making`. Answers the row's id: a request that came before keeps the batch that it made. */
  async insert(batch: NewBatchRow, request: string | null, entry: AuditEntry): Promise<string> {
    const { app, id, createdAt } = batch;
    const insert = this.#insertion(batch, request);
    const forget = this.#db
      .prepare(`UPDATE batches SET request = NULL WHERE app = ?1 AND request = ?2 AND created_at < ?3`)
      .bind(app, request, createdAt - LIMITS.IDEMPOTENCY_KEEP_MS);
    const look = this.#db.prepare(`SELECT id FROM batches WHERE app = ?1 AND request = ?2`).bind(app, request);
    const audit = auditStatement(this.#db, entry);
    const [, , , found] = await this.#db.batch<{ id: string }>([forget, insert, audit, look]);
    return found!.results[0]?.id ?? id;
  }

  /** One that nobody has asked for by itself: it is a job of another. */
  async add(batch: NewBatchRow): Promise<void> {
    await this.#insertion(batch, null).run();
  }

  #insertion({ app, id, name, topic, createdAt }: NewBatchRow, request: string | null): D1PreparedStatement {
    return this.#db
      .prepare(
        `INSERT INTO batches (app, id, name, topic, state, created_at, request)
         VALUES (?1, ?2, ?3, ?4, 'making', ?5, ?6) ON CONFLICT DO NOTHING`,
      )
      .bind(app, id, name, topic, createdAt, request);
  }

  /** Its object stands. What that has said of itself meanwhile stays. */
  async confirm(app: string, id: string): Promise<void> {
    await this.#db
      .prepare(`UPDATE batches SET state = 'running' WHERE app = ?1 AND id = ?2 AND state = 'making'`)
      .bind(app, id)
      .run();
  }

  async setState(app: string, id: string, state: BatchState): Promise<void> {
    await this.#db.prepare(`UPDATE batches SET state = ?3 WHERE app = ?1 AND id = ?2`).bind(app, id, state).run();
  }

  async remove(app: string, id: string): Promise<void> {
    await this.#db.prepare(`DELETE FROM batches WHERE app = ?1 AND id = ?2`).bind(app, id).run();
  }

  /** Those that never came to be, once no repeat can make them any more. */
  async purge(now: number): Promise<void> {
    await this.#db
      .prepare(`DELETE FROM batches WHERE state = 'making' AND created_at < ?1`)
      .bind(now - LIMITS.IDEMPOTENCY_KEEP_MS)
      .run();
  }

  /** By id, which is by time, after `after`. */
  async list(app: string, after: string, limit: number): Promise<BatchRow[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM batches WHERE app = ?1 AND id > ?2 AND state <> 'making' ORDER BY id LIMIT ?3`)
      .bind(app, after, limit)
      .all<BatchRow>();
    return results;
  }
}
