/** What each day has lent: one row for each subject and quota, of the last window that anybody asked in. */
import type { RateName, WindowCount } from "../../core/quota-lease.ts";

export class CountStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(subject: string, rate: RateName): WindowCount | null {
    const sql = `SELECT window, lent FROM counts WHERE subject = ?1 AND rate = ?2`;
    return this.#sql.exec<{ window: number; lent: number }>(sql, subject, rate).toArray()[0] ?? null;
  }

  write(subject: string, rate: RateName, { window, lent }: WindowCount): void {
    this.#sql.exec(
      `INSERT INTO counts (subject, rate, window, lent) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (subject, rate) DO UPDATE SET window = excluded.window, lent = excluded.lent`,
      subject,
      rate,
      window,
      lent,
    );
  }
}
