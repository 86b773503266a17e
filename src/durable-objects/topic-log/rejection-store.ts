/** When operators were told last that the topic's schemas refuse events of a type: a row each at most. */
interface Told {
  /** Milliseconds; null: never. */
  readonly toldAt: number | null;
  /** Refusals since. */
  readonly untold: number;
}

export class RejectionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(type: string): Told {
    const sql = `SELECT told_at AS toldAt, untold FROM rejections WHERE type = ?1`;
    const row = this.#sql.exec<{ toldAt: number; untold: number }>(sql, type).toArray()[0];
    return row ?? { toldAt: null, untold: 0 };
  }

  put(type: string, { toldAt, untold }: Told): void {
    this.#sql.exec(
      `INSERT INTO rejections (type, told_at, untold) VALUES (?1, ?2, ?3)
       ON CONFLICT (type) DO UPDATE SET told_at = excluded.told_at, untold = excluded.untold`,
      type,
      toldAt,
      untold,
    );
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM rejections`);
  }
}
