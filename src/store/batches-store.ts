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
  readonly state: BatchState;
  readonly createdAt: number;
}

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

  /** Answers the row's id: a request that came before keeps the batch that it made. */
  async insert(batch: BatchRow, request: string | null, entry: AuditEntry): Promise<string> {
    const { app, id, name, topic, state, createdAt } = batch;
    const insert = this.#db
      .prepare(
        `INSERT INTO batches (app, id, name, topic, state, created_at, request) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO NOTHING`,
      )
      .bind(app, id, name, topic, state, createdAt, request);
    const forget = this.#db
      .prepare(`UPDATE batches SET request = NULL WHERE app = ?1 AND request = ?2 AND created_at < ?3`)
      .bind(app, request, createdAt - LIMITS.IDEMPOTENCY_KEEP_MS);
    const look = this.#db.prepare(`SELECT id FROM batches WHERE app = ?1 AND request = ?2`).bind(app, request);
    const audit = auditStatement(this.#db, entry);
    const [, , , found] = await this.#db.batch<{ id: string }>([forget, insert, audit, look]);
    return found!.results[0]?.id ?? id;
  }

  /** One that nobody has asked for by itself: it is a job of another. */
  async add({ app, id, name, topic, state, createdAt }: BatchRow): Promise<void> {
    await this.#db
      .prepare(
        `INSERT INTO batches (app, id, name, topic, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING`,
      )
      .bind(app, id, name, topic, state, createdAt)
      .run();
  }

  async setState(app: string, id: string, state: BatchState): Promise<void> {
    await this.#db.prepare(`UPDATE batches SET state = ?3 WHERE app = ?1 AND id = ?2`).bind(app, id, state).run();
  }

  async remove(app: string, id: string): Promise<void> {
    await this.#db.prepare(`DELETE FROM batches WHERE app = ?1 AND id = ?2`).bind(app, id).run();
  }

  /** By id, which is by time, after `after`. */
  async list(app: string, after: string, limit: number): Promise<BatchRow[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM batches WHERE app = ?1 AND id > ?2 ORDER BY id LIMIT ?3`)
      .bind(app, after, limit)
      .all<BatchRow>();
    return results;
  }
}
