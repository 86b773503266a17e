/** Topics: their lives and policies. The only SQL about them. Each change brings its row of the audit log. */
import type { AuditEntry } from "../core/audit.ts";
import { definitionsUsedUp } from "../core/quota-refusal.ts";
import { ok, type Result } from "../core/result.ts";
import type { Retention } from "../core/retention.ts";
import { auditStatement } from "./audit-store.ts";

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
   * Makes the topic that `entry` names, at its time, unless it lives already, and answers the one that lives. An epoch
   * is the time of birth, or one more than the last life's where the clock would repeat it. How many there are, without
   * the hub's own, is counted in the same statement, so that racing requests never make one too many: then it is
   * `quota_exceeded`.
   */
  async create(
    definition: TopicDefinition,
    topicsMax: number,
    entry: AuditEntry,
  ): Promise<Result<{ readonly topic: TopicRecord; readonly created: boolean }>> {
    const insert = this.#db
      .prepare(
        `INSERT INTO topics (app, name, epoch, revision, partitions, index_kind, retention, schema_policy, description,
           created_at, deleted_at, settled)
       SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?3, NULL, 0
       WHERE (SELECT count(*) FROM topics WHERE app = ?1 AND deleted_at IS NULL AND name NOT LIKE '$%') < ?9
       ON CONFLICT (app, name) DO UPDATE SET epoch = max(excluded.epoch, topics.epoch + 1), revision = 1,
         partitions = excluded.partitions, index_kind = excluded.index_kind, retention = excluded.retention,
         schema_policy = excluded.schema_policy, description = excluded.description, created_at = excluded.created_at,
         deleted_at = NULL, settled = 0 WHERE topics.deleted_at IS NOT NULL
       RETURNING *`,
      )
      .bind(
        entry.app,
        entry.subject,
        entry.at,
        definition.partitions,
        definition.index,
        JSON.stringify(definition.retention),
        definition.schemaPolicy,
        definition.description,
        topicsMax,
      );
    const made = await this.#change(insert, entry);
    if (made !== null) return ok({ topic: made, created: true });
    const existing = await this.find(entry.app, entry.subject);
    if (existing !== null) return ok({ topic: existing, created: false });
    const { users } = await this.count(entry.app);
    // It was there, or too many were, a moment ago.
    return users < topicsMax ? this.create(definition, topicsMax, entry) : definitionsUsedUp("topics", topicsMax);
  }

  /** Changes what may change; null when the topic is gone or was changed since it was read. */
  update(topic: TopicRecord, change: TopicDefinition, entry: AuditEntry): Promise<TopicRecord | null> {
    const update = this.#db
      .prepare(
        `UPDATE topics SET revision = revision + 1, retention = ?5, schema_policy = ?6, description = ?7
       WHERE app = ?1 AND name = ?2 AND epoch = ?3 AND revision = ?4 AND deleted_at IS NULL RETURNING *`,
      )
      .bind(
        topic.app,
        topic.name,
        topic.epoch,
        topic.revision,
        JSON.stringify(change.retention),
        change.schemaPolicy,
        change.description,
      );
    return this.#change(update, entry);
  }

  /**
   * Ends the topic's life; the record answered carries the epoch under which its logs retire. Null when the topic is
   * gone or was changed since it was read.
   */
  remove(topic: TopicRecord, entry: AuditEntry): Promise<TopicRecord | null> {
    const removal = this.#db
      .prepare(
        `UPDATE topics SET deleted_at = ?5, epoch = epoch + 1, settled = 0
         WHERE app = ?1 AND name = ?2 AND epoch = ?3 AND revision = ?4 AND deleted_at IS NULL RETURNING *`,
      )
      .bind(topic.app, topic.name, topic.epoch, topic.revision, entry.at);
    return this.#change(removal, entry);
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

  /** Those that live: what users made, which is what a quota bounds, and the hub's own. */
  async count(app: string): Promise<{ readonly users: number; readonly hubs: number }> {
    const row = await this.#db
      .prepare(
        `SELECT count(*) FILTER (WHERE name NOT LIKE '$%') AS users, count(*) FILTER (WHERE name LIKE '$%') AS hubs
         FROM topics WHERE app = ?1 AND deleted_at IS NULL`,
      )
      .bind(app)
      .first<{ users: number; hubs: number }>();
    return row!;
  }

  /** The row that the statement changed, together with what the audit log tells of it; null when it changed none. */
  async #change(statement: D1PreparedStatement, entry: AuditEntry): Promise<TopicRecord | null> {
    const [changed] = await this.#db.batch<Row>([statement, auditStatement(this.#db, entry)]);
    const row = changed!.results[0];
    return row === undefined ? null : recordOf(row);
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
