/** Apps: tenants by name. */
export class AppsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async findId(name: string): Promise<string | null> {
    const row = await this.#db.prepare(`SELECT id FROM apps WHERE name = ?1`).bind(name).first<{ id: string }>();
    return row?.id ?? null;
  }
}
