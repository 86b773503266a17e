/** The names of an app's event types, whether they have a schema or were only seen. */
export class CatalogStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** In order, after `after`. */
  async types(app: string, after: string, limit: number): Promise<readonly string[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT type FROM schemas WHERE app = ?1 AND type > ?2
         UNION SELECT type FROM sightings WHERE app = ?1 AND role = 'producer' AND type > ?2
         ORDER BY type LIMIT ?3`,
      )
      .bind(app, after, limit)
      .all<{ type: string }>();
    return results.map(({ type }) => type);
  }
}
