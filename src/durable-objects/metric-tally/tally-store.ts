/** Sums by app: all series of one app are one row. */
import type { Sample } from "../../core/metrics.ts";

export class TallyStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(app: string): Sample[] {
    const sql = `SELECT series FROM tallies WHERE app = ?1`;
    const row = this.#sql.exec<{ series: string }>(sql, app).toArray()[0];
    return row === undefined ? [] : (JSON.parse(row.series) as Sample[]);
  }

  write(app: string, series: readonly Sample[]): void {
    this.#sql.exec(
      `INSERT INTO tallies (app, series) VALUES (?1, ?2) ON CONFLICT (app) DO UPDATE SET series = excluded.series`,
      app,
      JSON.stringify(series),
    );
  }
}
