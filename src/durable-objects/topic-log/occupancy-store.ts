/** How many follow the channel in each hub, by the hub's own latest word. */
import type { FollowerCount } from "../../core/occupancy.ts";

export class OccupancyStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Over all hubs. */
  total(): number {
    const sql = `SELECT coalesce(sum(followers), 0) AS total FROM occupants`;
    return this.#sql.exec<{ total: number }>(sql).one().total;
  }

  /** Of the hub's latest word; -1: it has said none. */
  versionOf(hub: string): number {
    const sql = `SELECT version FROM occupants WHERE hub = ?1`;
    return this.#sql.exec<{ version: number }>(sql, hub).toArray()[0]?.version ?? -1;
  }

  /** The row of a hub that nobody follows in stays, with its version. */
  put({ hub, version, followers }: FollowerCount): void {
    this.#sql.exec(
      `INSERT INTO occupants (hub, version, followers) VALUES (?1, ?2, ?3) ON CONFLICT (hub) DO UPDATE
       SET version = excluded.version, followers = excluded.followers`,
      hub,
      version,
      followers,
    );
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM occupants`);
  }
}
