/** Apps: tenants by name, and what is left of those that were deleted. */
import type { AuditEntry } from "../core/audit.ts";
import type { Quotas } from "../core/quotas.ts";
import type { Revocation } from "../core/revocation.ts";
import { cacheChange, changeStatement } from "./access-changes-store.ts";
import { auditStatement } from "./audit-store.ts";

export interface AppRecord {
  /** Minted; names objects and rows. Never given to another app. */
  readonly id: string;
  readonly name: string;
  /** Exact origins whose pages may use it; null: not looked at. */
  readonly origins: readonly string[] | null;
  readonly quotas: Quotas;
  /** Milliseconds. */
  readonly createdAt: number;
}

export interface AppRow {
  id: string;
  name: string;
  origins: string | null;
  quotas: string;
  created_at: number;
}

const COLUMNS = `id, name, origins, quotas, created_at`;

export class AppsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(name: string): Promise<AppRecord | null> {
    const row = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM apps WHERE name = ?1 AND deleted_at IS NULL`)
      .bind(name)
      .first<AppRow>();
    return row === null ? null : appRecordOf(row);
  }

  async findById(id: string): Promise<AppRecord | null> {
    const row = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM apps WHERE id = ?1 AND deleted_at IS NULL`)
      .bind(id)
      .first<AppRow>();
    return row === null ? null : appRecordOf(row);
  }

  /** By name, after `after`. */
  async list(after: string, limit: number): Promise<AppRecord[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM apps WHERE name > ?1 AND deleted_at IS NULL ORDER BY name LIMIT ?2`)
      .bind(after, limit)
      .all<AppRow>();
    return results.map(appRecordOf);
  }

  /** False when there is an app of that name. */
  async insert(app: AppRecord, entry: AuditEntry): Promise<boolean> {
    const insert = this.#db
      .prepare(
        `INSERT INTO apps (id, name, origins, quotas, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO NOTHING`,
      )
      .bind(app.id, app.name, originsText(app), JSON.stringify(app.quotas), app.createdAt);
    const [inserted] = await this.#db.batch([insert, auditStatement(this.#db, entry)]);
    return inserted!.meta.changes === 1;
  }

  /** Replaces the app as it was read; false when it was changed or deleted in between. */
  async replace(app: AppRecord, changed: AppRecord, entry: AuditEntry): Promise<boolean> {
    const update = this.#db
      .prepare(
        `UPDATE apps SET origins = ?2, quotas = ?3
         WHERE id = ?1 AND deleted_at IS NULL AND json(origins) IS json(?4) AND json(quotas) = json(?5)`,
      )
      .bind(app.id, originsText(changed), JSON.stringify(changed.quotas), originsText(app), JSON.stringify(app.quotas));
    const change = cacheChange(app.id, "changed_app", app.id, entry.at);
    const [updated] = await this.#db.batch([
      update,
      auditStatement(this.#db, entry),
      changeStatement(this.#db, change),
    ]);
    return updated!.meta.changes === 1;
  }

  /** Gives the name free and ends the app's keys and topics, all at once; false when it was gone already. */
  async remove(revocation: Revocation, entry: AuditEntry): Promise<boolean> {
    const { app, at } = revocation;
    const [removed] = await this.#db.batch([
      this.#db.prepare(`UPDATE apps SET name = id, deleted_at = ?2 WHERE id = ?1 AND deleted_at IS NULL`).bind(app, at),
      auditStatement(this.#db, entry),
      changeStatement(this.#db, revocation),
      ...this.#endings(app, at),
    ]);
    return removed!.meta.changes === 1;
  }

  /** What a request that was under way has made in an app after its end. */
  async removeAgain(app: string, now: number): Promise<void> {
    await this.#db.batch(this.#endings(app, now));
  }

  /** Only of an app that is deleted. What the topics' logs hold is dropped by attach.ts, as of any topic. */
  #endings(app: string, now: number): D1PreparedStatement[] {
    const isDeleted = `EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleted_at IS NOT NULL)`;
    return [
      this.#db.prepare(`DELETE FROM api_keys WHERE app = ?1 AND ${isDeleted}`).bind(app),
      this.#db.prepare(`DELETE FROM schemas WHERE app = ?1 AND ${isDeleted}`).bind(app),
      this.#db.prepare(`DELETE FROM commands WHERE app = ?1 AND ${isDeleted}`).bind(app),
      this.#db.prepare(`DELETE FROM batches WHERE app = ?1 AND ${isDeleted}`).bind(app),
      this.#db.prepare(`DELETE FROM topic_policies WHERE app = ?1 AND ${isDeleted}`).bind(app),
      this.#db
        .prepare(
          `UPDATE topics SET deleted_at = ?2, epoch = epoch + 1, settled = 0
           WHERE app = ?1 AND deleted_at IS NULL AND ${isDeleted}`,
        )
        .bind(app, now),
    ];
  }

  /** Ids of deleted apps of which something may be left, those that ended first first. */
  async deleted(limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare(`SELECT id FROM apps WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT ?1`)
      .bind(limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** The ledger has been removed before: while the row stands, another run finds it. */
  async dropSubscription(app: string, id: string): Promise<void> {
    await this.#db.prepare(`DELETE FROM subscriptions WHERE app = ?1 AND id = ?2`).bind(app, id).run();
  }

  /** Drops the last rows of an app that ended before `before` when nothing of it is left that an object holds. */
  async drop(app: string, before: number): Promise<void> {
    const isEmpty = `EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleted_at < ?2)
      AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE app = ?1)
      AND NOT EXISTS (SELECT 1 FROM topics WHERE app = ?1 AND (settled = 0 OR deleted_at IS NULL))`;
    const drop = (table: string, column: string): D1PreparedStatement =>
      this.#db.prepare(`DELETE FROM ${table} WHERE ${column} = ?1 AND ${isEmpty}`).bind(app, before);
    await this.#db.batch([
      drop("topics", "app"),
      drop("analytics_counts", "app"),
      drop("hubs", "app"),
      drop("apps", "id"),
    ]);
  }
}

const originsText = ({ origins }: AppRecord): string | null => (origins === null ? null : JSON.stringify(origins));

export const appRecordOf = (row: AppRow): AppRecord => ({
  id: row.id,
  name: row.name,
  origins: row.origins === null ? null : (JSON.parse(row.origins) as string[]),
  quotas: JSON.parse(row.quotas) as Quotas,
  createdAt: row.created_at,
});
