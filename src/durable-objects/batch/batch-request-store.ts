/** Requests that have brought jobs to a batch. */
export class BatchRequestStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** False when it came before. */
  insert(request: string): boolean {
    const sql = `INSERT INTO requests (request) VALUES (?1) ON CONFLICT DO NOTHING RETURNING request`;
    return this.#sql.exec(sql, request).toArray().length === 1;
  }
}
