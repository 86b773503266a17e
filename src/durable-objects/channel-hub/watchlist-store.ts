/** Whose coming and going the hub's connections want to hear of. */
export interface WatchlistRow {
  readonly connection: string;
  /** Ids. */
  readonly users: readonly string[];
  /** It was told who of them is online, and hears of changes. */
  readonly greeted: boolean;
}

export class WatchlistStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): WatchlistRow[] {
    return this.#sql
      .exec<{ connection: string; users: string; greeted: number }>(`SELECT connection, users, greeted FROM watchlists`)
      .toArray()
      .map(({ connection, users, greeted }) => ({
        connection,
        users: JSON.parse(users) as string[],
        greeted: greeted === 1,
      }));
  }

  put({ connection, users, greeted }: WatchlistRow): void {
    this.#sql.exec(
      `INSERT INTO watchlists (connection, users, greeted) VALUES (?1, ?2, ?3)
       ON CONFLICT (connection) DO UPDATE SET users = excluded.users, greeted = excluded.greeted`,
      connection,
      JSON.stringify(users),
      greeted ? 1 : 0,
    );
  }

  remove(connection: string): void {
    this.#sql.exec(`DELETE FROM watchlists WHERE connection = ?1`, connection);
  }
}
