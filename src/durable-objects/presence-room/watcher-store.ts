/** The hubs that a room tells of its members. */
export interface WatcherRow {
  readonly hub: string;
  /** Of its last report. */
  readonly seq: number;
  /** Milliseconds. Written with its reports and by the room's alarm. */
  readonly heardAt: number;
  /** The version that it is known to have; -1: none. Telling again is harmless. */
  readonly told: number;
}

export class WatcherStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): WatcherRow[] {
    return this.#sql
      .exec<{ hub: string; seq: number; heardAt: number; told: number }>(
        `SELECT hub, seq, heard_at AS heardAt, told FROM hubs`,
      )
      .toArray();
  }

  put({ hub, seq, heardAt, told }: WatcherRow): void {
    this.#sql.exec(
      `INSERT INTO hubs (hub, seq, heard_at, told) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (hub) DO UPDATE SET seq = excluded.seq, heard_at = excluded.heard_at, told = excluded.told`,
      hub,
      seq,
      heardAt,
      told,
    );
  }

  remove(hub: string): void {
    this.#sql.exec(`DELETE FROM hubs WHERE hub = ?1`, hub);
  }
}
