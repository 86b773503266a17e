/** Requests that have brought jobs to a batch. */
export class BatchRequestStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether it came before. */
  has(request: string): boolean {
    return this.#sql.exec(`SELECT 1 FROM requests WHERE request = ?1`, request).toArray().length > 0;
  }

  insert(request: string): void {
    this.#sql.exec(`INSERT INTO requests (request) VALUES (?1)`, request);
  }
}
