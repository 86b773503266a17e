/** Topics: their lives and policies. The only SQL about them. */
import type { Retention } from "../core/retention.ts";

export type TopicIndex = "none" | "version" | "key";
export type SchemaPolicy = "off" | "warn" | "enforce";

export interface TopicDefinition {
  readonly partitions: number;
  readonly index: TopicIndex;
  readonly retention: Retention;
  readonly schemaPolicy: SchemaPolicy;
  readonly description: string | null;
}

export interface TopicRecord extends TopicDefinition {
  readonly app: string;
  readonly name: string;
  readonly epoch: number;
  readonly revision: number;
  readonly createdAt: number;
  readonly deletedAt: number | null;
  readonly settled: boolean;
}

interface Row {
  app: string;
  name: string;
  epoch: number;
  revision: number;
  partitions: number;
  index_kind: TopicIndex;
  retention: string;
  schema_policy: SchemaPolicy;
  description: string | null;
  created_at: number;
  deleted_at: number | null;
  settled: number;
}

export class TopicsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Null when there is no such topic, or no longer. */
  async find(app: string, name: string): Promise<TopicRecord | null> {
    const row = await this.#db
      .prepare(`SELECT * FROM topics WHERE app = ?1 AND name = ?2 AND deleted_at IS NULL`)
      .bind(app, name)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  /**
   * Makes the topic unless it lives already, and answers the one that lives. An epoch is the time of birth, or one more
   * than the last life's where the clock would repeat it.
   */
  async create(
    app: string,
    name: string,
    definition: TopicDefinition,
    now: number,
  ): Promise<{ topic: TopicRecord; created: boolean }> {
    const row = await this.#db
      .prepare(
        `INSERT INTO topics (app, name, epoch, revision, partitions, index_kind, retention, schema_policy, description,
           created_at, deleted_at, settled)
       VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?3, NULL, 0)
       ON CONFLICT (app, name) DO UPDATE SET epoch = max(excluded.epoch, topics.epoch + 1), revision = 1,
         partitions = excluded.partitions, index_kind = excluded.index_kind, retention = excluded.retention,
         schema_policy = excluded.schema_policy, description = excluded.description, created_at = excluded.created_at,
         deleted_at = NULL, settled = 0 WHERE topics.deleted_at IS NOT NULL
       RETURNING *`,
      )
      .bind(
        app,
        name,
        now,
        definition.partitions,
        definition.index,
        JSON.stringify(definition.retention),
        definition.schemaPolicy,
        definition.description,
      )
      .first<Row>();
    if (row !== null) return { topic: recordOf(row), created: true };
    const existing = await this.find(app, name);
    return existing === null ? this.create(app, name, definition, now) : { topic: existing, created: false };
  }

  /** Changes what may change; null when the topic is gone. */
  async update(topic: TopicRecord, change: TopicDefinition): Promise<TopicRecord | null> {
    const row = await this.#db
      .prepare(
        `UPDATE topics SET revision = revision + 1, retention = ?4, schema_policy = ?5, description = ?6
       WHERE app = ?1 AND name = ?2 AND epoch = ?3 AND deleted_at IS NULL RETURNING *`,
      )
      .bind(
        topic.app,
        topic.name,
        topic.epoch,
        JSON.stringify(change.retention),
        change.schemaPolicy,
        change.description,
      )
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  /** Ends the topic's life; the record answered carries the epoch under which its logs retire. */
  async remove(app: string, name: string, now: number): Promise<TopicRecord | null> {
    const row = await this.#db
      .prepare(
        `UPDATE topics SET deleted_at = ?3, epoch = epoch + 1, settled = 0
         WHERE app = ?1 AND name = ?2 AND deleted_at IS NULL RETURNING *`,
      )
      .bind(app, name, now)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  async markSettled(topic: TopicRecord): Promise<void> {
    await this.#db
      .prepare(`UPDATE topics SET settled = 1 WHERE app = ?1 AND name = ?2 AND epoch = ?3`)
      .bind(topic.app, topic.name, topic.epoch)
      .run();
  }

  /** Topics of every app, dead ones too, whose last change of life is older than `before` and not settled. */
  async unsettled(before: number, limit: number): Promise<TopicRecord[]> {
    const { results } = await this.#db
      .prepare(`SELECT * FROM topics WHERE settled = 0 AND coalesce(deleted_at, created_at) < ?1 LIMIT ?2`)
      .bind(before, limit)
      .all<Row>();
    return results.map(recordOf);
  }

  /** By name, after `after`. */
  async list(app: string, after: string, limit: number): Promise<TopicRecord[]> {
    const { results } = await this.#db
      .prepare(`SELECT * FROM topics WHERE app = ?1 AND name > ?2 AND deleted_at IS NULL ORDER BY name LIMIT ?3`)
      .bind(app, after, limit)
      .all<Row>();
    return results.map(recordOf);
  }
}

const recordOf = (row: Row): TopicRecord => ({
  app: row.app,
  name: row.name,
  epoch: row.epoch,
  revision: row.revision,
  partitions: row.partitions,
  index: row.index_kind,
  retention: JSON.parse(row.retention) as Retention,
  schemaPolicy: row.schema_policy,
  description: row.description,
  createdAt: row.created_at,
  deletedAt: row.deleted_at,
  settled: row.settled === 1,
});
