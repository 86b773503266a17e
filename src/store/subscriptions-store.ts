/**
 * Subscriptions as they were asked for; each change brings its row of the audit log. What became of their events stands
 * in the ledger of each.
 */
import type { AuditEntry } from "../core/audit.ts";
import { definitionsUsedUp } from "../core/quota-refusal.ts";
import { ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { auditStatement } from "./audit-store.ts";

export interface SubscriptionRecord {
  readonly definition: SubscriptionDefinition;
  readonly createdAt: number;
  readonly settled: boolean;
}

interface Row {
  definition: string;
  created_at: number;
  settled: number;
}

export class SubscriptionsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(app: string, name: string): Promise<SubscriptionRecord | null> {
    const row = await this.#db
      .prepare(`SELECT definition, created_at, settled FROM subscriptions WHERE app = ?1 AND name = ?2`)
      .bind(app, name)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  /** By its minted id. */
  async findById(app: string, id: string): Promise<SubscriptionRecord | null> {
    const row = await this.#db
      .prepare(`SELECT definition, created_at, settled FROM subscriptions WHERE id = ?2 AND app = ?1`)
      .bind(app, id)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  /**
   * Writes a first definition; false when another request was first. How many there are is counted in the same
   * statement, so that racing requests never make one too many: then it is `quota_exceeded`.
   */
  async insert(
    definition: SubscriptionDefinition,
    now: number,
    subscriptionsMax: number,
    entry: AuditEntry,
  ): Promise<Result<boolean>> {
    const { app, name, id, revision } = definition;
    const insert = this.#db
      .prepare(
        `INSERT INTO subscriptions (app, name, id, revision, definition, created_at, settled)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, 0 WHERE (SELECT count(*) FROM subscriptions WHERE app = ?1) < ?7
       ON CONFLICT (app, name) DO NOTHING`,
      )
      .bind(app, name, id, revision, JSON.stringify(definition), now, subscriptionsMax);
    if (await this.#change(insert, entry)) return ok(true);
    if ((await this.find(app, name)) !== null) return ok(false);
    // Either too many are there, or what was in the way has gone a moment ago.
    return (await this.count(app)) < subscriptionsMax
      ? ok(false)
      : definitionsUsedUp("subscriptions", subscriptionsMax);
  }

  /** Replaces the definition of the revision before; false when another request was first. */
  replace(definition: SubscriptionDefinition, entry: AuditEntry): Promise<boolean> {
    const { app, name, id, revision } = definition;
    const update = this.#db
      .prepare(
        `UPDATE subscriptions SET revision = ?4, definition = ?5, settled = 0
         WHERE app = ?1 AND name = ?2 AND id = ?3 AND revision = ?4 - 1`,
      )
      .bind(app, name, id, revision, JSON.stringify(definition));
    return this.#change(update, entry);
  }

  /** Removes it as it was read; false when another request was first. */
  remove({ app, name, id, revision }: SubscriptionDefinition, entry: AuditEntry): Promise<boolean> {
    const removal = this.#db
      .prepare(`DELETE FROM subscriptions WHERE app = ?1 AND name = ?2 AND id = ?3 AND revision = ?4`)
      .bind(app, name, id, revision);
    return this.#change(removal, entry);
  }

  async markSettled(definition: SubscriptionDefinition): Promise<void> {
    await this.#db
      .prepare(`UPDATE subscriptions SET settled = 1 WHERE id = ?1 AND revision = ?2`)
      .bind(definition.id, definition.revision)
      .run();
  }

  async unsettled(before: number, limit: number): Promise<SubscriptionDefinition[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT definition, created_at, settled FROM subscriptions WHERE settled = 0 AND created_at < ?1 LIMIT ?2`,
      )
      .bind(before, limit)
      .all<Row>();
    return results.map((row) => recordOf(row).definition);
  }

  /** Every subscription of the app, which decides by pattern whether it wants a new topic. */
  async all(app: string): Promise<SubscriptionDefinition[]> {
    const { results } = await this.#db
      .prepare(`SELECT definition, created_at, settled FROM subscriptions WHERE app = ?1`)
      .bind(app)
      .all<Row>();
    return results.map((row) => recordOf(row).definition);
  }

  /** Those that a publish waits for. */
  async sync(app: string): Promise<SubscriptionDefinition[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT definition, created_at, settled FROM subscriptions INDEXED BY subscriptions_sync
         WHERE app = ?1 AND json_extract(definition, '$.mode') = 'sync'`,
      )
      .bind(app)
      .all<Row>();
    return results.map((row) => recordOf(row).definition);
  }

  /** By name, after `after`. */
  async list(app: string, after: string, limit: number): Promise<SubscriptionRecord[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT definition, created_at, settled FROM subscriptions WHERE app = ?1 AND name > ?2 ORDER BY name LIMIT ?3`,
      )
      .bind(app, after, limit)
      .all<Row>();
    return results.map(recordOf);
  }

  async count(app: string): Promise<number> {
    const row = await this.#db
      .prepare(`SELECT count(*) AS count FROM subscriptions WHERE app = ?1`)
      .bind(app)
      .first<{ count: number }>();
    return row!.count;
  }

  /** Whether the statement changed a row; what the audit log tells of it is written together with it. */
  async #change(statement: D1PreparedStatement, entry: AuditEntry): Promise<boolean> {
    const [changed] = await this.#db.batch([statement, auditStatement(this.#db, entry)]);
    return changed!.meta.changes === 1;
  }
}

const recordOf = (row: Row): SubscriptionRecord => ({
  definition: JSON.parse(row.definition) as SubscriptionDefinition,
  createdAt: row.created_at,
  settled: row.settled === 1,
});
