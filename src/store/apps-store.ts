/** Apps: tenants by name. */
import type { Quotas } from "../core/quotas.ts";

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

export class AppsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(name: string): Promise<AppRecord | null> {
    const row = await this.#db
      .prepare(`SELECT id, name, origins, quotas, created_at FROM apps WHERE name = ?1 AND deleted_at IS NULL`)
      .bind(name)
      .first<AppRow>();
    return row === null ? null : appRecordOf(row);
  }
}

export const appRecordOf = (row: AppRow): AppRecord => ({
  id: row.id,
  name: row.name,
  origins: row.origins === null ? null : (JSON.parse(row.origins) as string[]),
  quotas: JSON.parse(row.quotas) as Quotas,
  createdAt: row.created_at,
});
