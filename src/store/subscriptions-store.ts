/** Subscriptions as they were asked for. What became of their events stands in the ledger of each. */
import type { SubscriptionDefinition } from "../core/subscription.ts";

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

  /** Writes a first definition; false when another request was first. */
  async insert(definition: SubscriptionDefinition, now: number): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO subscriptions (app, name, id, revision, definition, created_at, settled)
         VALUES (?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT (app, name) DO NOTHING`,
      )
      .bind(definition.app, definition.name, definition.id, definition.revision, JSON.stringify(definition), now)
      .run();
    return meta.changes === 1;
  }

  /** Replaces the definition of the revision before; false when another request was first. */
  async replace(definition: SubscriptionDefinition): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `UPDATE subscriptions SET revision = ?4, definition = ?5, settled = 0
         WHERE app = ?1 AND name = ?2 AND id = ?3 AND revision = ?4 - 1`,
      )
      .bind(definition.app, definition.name, definition.id, definition.revision, JSON.stringify(definition))
      .run();
    return meta.changes === 1;
  }

  async remove(app: string, name: string): Promise<SubscriptionDefinition | null> {
    const row = await this.#db
      .prepare(`DELETE FROM subscriptions WHERE app = ?1 AND name = ?2 RETURNING definition, created_at, settled`)
      .bind(app, name)
      .first<Row>();
    return row === null ? null : recordOf(row).definition;
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
}

const recordOf = (row: Row): SubscriptionRecord => ({
  definition: JSON.parse(row.definition) as SubscriptionDefinition,
  createdAt: row.created_at,
  settled: row.settled === 1,
});
