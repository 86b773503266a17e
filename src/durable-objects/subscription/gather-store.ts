/** Until when the events of a source are gathered for a batch; no row: nothing of it waits. */
export class GatherStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  until(source: number): number | null {
    const sql = `SELECT until FROM gathers WHERE source = ?1`;
    return this.#sql.exec<{ until: number }>(sql, source).toArray()[0]?.until ?? null;
  }

  /** What gathers already keeps its end. */
  begin(source: number, until: number): void {
    this.#sql.exec(`INSERT INTO gathers (source, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, source, until);
  }

  end(source: number): void {
    this.#sql.exec(`DELETE FROM gathers WHERE source = ?1`, source);
  }

  /** The next end after `now`, of those sources whose log has more. */
  nextUntil(now: number): number | null {
    const sql = `SELECT min(gathers.until) AS until FROM gathers JOIN sources ON sources.id = gathers.source
      WHERE gathers.until > ?1 AND behind = 1 AND state IN ('live', 'replaying')`;
    return this.#sql.exec<{ until: number | null }>(sql, now).one().until;
  }
}
