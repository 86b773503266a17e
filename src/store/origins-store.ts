/** The origins of all apps together. */
export class OriginsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Each origin that some app lists, once. */
  async all(): Promise<string[]> {
    const { results } = await this.#db
      .prepare(`SELECT DISTINCT value AS origin FROM apps, json_each(apps.origins) WHERE deleted_at IS NULL`)
      .all<{ origin: string }>();
    return results.map(({ origin }) => origin);
  }
}
