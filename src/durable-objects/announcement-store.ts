/** What one of the hub's own topics has not been told of yet: an object's outbox, in order. */
import type { Announcement } from "../core/system-event.ts";

/** For the object's own list of migrations. The number is never given twice, also when all rows are gone. */
export const CREATE_ANNOUNCEMENTS = `CREATE TABLE announcements (seq INTEGER PRIMARY KEY AUTOINCREMENT,
  full TEXT NOT NULL, bare TEXT NOT NULL)`;

type Table = "announcements" | "operations" | "client_events";

export interface AnnouncementRow extends Announcement {
  readonly seq: number;
}

/** Payload of one call: far below the 32 MB of an RPC, and one append's worth. */
const CHARS_MAX = 512 * 1_024;

export class AnnouncementStore {
  readonly #sql: SqlStorage;
  readonly #table: Table;
  /** Whether there may be any: one that has nothing to tell asks for none. */
  #mayHold = true;

  /** An object that tells two topics keeps an outbox for each. */
  constructor(sql: SqlStorage, table: Table = "announcements") {
    this.#sql = sql;
    this.#table = table;
  }

  insert({ full, bare }: Announcement): void {
    this.#mayHold = true;
    this.#sql.exec(`INSERT INTO ${this.#table} (full, bare) VALUES (?1, ?2)`, full, bare);
  }

  /** Never in a transaction that has removed some: it may be rolled back. */
  isEmpty(): boolean {
    if (this.#mayHold) this.#mayHold = this.#sql.exec(`SELECT 1 FROM ${this.#table} LIMIT 1`).toArray().length > 0;
    return !this.#mayHold;
  }

  /** The oldest, at most `limit`, and no more payload than one call should carry; one at least. */
  first(limit: number): AnnouncementRow[] {
    const found: AnnouncementRow[] = [];
    let chars = 0;
    const sql = `SELECT seq, full, bare FROM ${this.#table} ORDER BY seq LIMIT ?1`;
    for (const row of this.#sql.exec<{ seq: number; full: string; bare: string }>(sql, limit)) {
      chars += row.full.length;
      if (found.length > 0 && chars > CHARS_MAX) break;
      found.push(row);
    }
    return found;
  }

  removeThrough(seq: number): void {
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE seq <= ?1`, seq);
  }
}
