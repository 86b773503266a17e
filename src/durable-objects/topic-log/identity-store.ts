/** What makes a publish repeatable: the ids that clients chose, the requests that had a key, the versions of keys. */
import type { Appended } from "../rpc.ts";

export interface KnownEvent {
  readonly offset: number;
  readonly keyVersion: number | null;
  readonly fingerprint: string;
}

export interface KnownRequest {
  readonly fingerprint: string;
  readonly events: readonly Appended[];
}

type IdRow = {
  id: string;
  source: string;
  offset: number;
  key_version: number | null;
  fingerprint: string;
  appended_at: number;
};
type RequestRow = { key: string; fingerprint: string; events: string; appended_at: number };

/** Rows that one turn of the sweep looks at. */
const SWEEP_ROWS = 1_000;

export class IdentityStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  event(source: string, id: string): KnownEvent | null {
    const row = this.#sql.exec<IdRow>(`SELECT * FROM ids WHERE id = ?1 AND source = ?2`, id, source).toArray()[0];
    return row === undefined ? null : { offset: row.offset, keyVersion: row.key_version, fingerprint: row.fingerprint };
  }

  recordEvent(source: string, id: string, event: KnownEvent, appendedAt: number): void {
    this.#sql.exec(
      `INSERT INTO ids (id, source, offset, key_version, fingerprint, appended_at) VALUES (?, ?, ?, ?, ?, ?)`,
      id,
      source,
      event.offset,
      event.keyVersion,
      event.fingerprint,
      appendedAt,
    );
  }

  /** The offset of an event by its id alone: the earliest, when several sources used the id. */
  offsetById(id: string): number | null {
    const row = this.#sql
      .exec<{ offset: number | null }>(`SELECT min(offset) AS offset FROM ids WHERE id = ?1`, id)
      .one();
    return row.offset;
  }

  request(key: string): KnownRequest | null {
    const row = this.#sql.exec<RequestRow>(`SELECT * FROM requests WHERE key = ?1`, key).toArray()[0];
    return row === undefined ? null : { fingerprint: row.fingerprint, events: JSON.parse(row.events) as Appended[] };
  }

  recordRequest(key: string, request: KnownRequest, appendedAt: number): void {
    this.#sql.exec(
      `INSERT INTO requests (key, fingerprint, events, appended_at) VALUES (?, ?, ?, ?)`,
      key,
      request.fingerprint,
      JSON.stringify(request.events),
      appendedAt,
    );
  }

  keyVersion(index: "version" | "key", key: string): number {
    const sql =
      index === "version"
        ? `SELECT version FROM key_versions WHERE key = ?1`
        : `SELECT version FROM key_events WHERE key = ?1 ORDER BY offset DESC LIMIT 1`;
    return this.#sql.exec<{ version: number }>(sql, key).toArray()[0]?.version ?? 0;
  }

  recordKeyVersion(index: "version" | "key", key: string, version: number, offset: number): void {
    if (index === "version") {
      this.#sql.exec(
        `INSERT INTO key_versions (key, version) VALUES (?1, ?2)
        ON CONFLICT (key) DO UPDATE SET version = excluded.version`,
        key,
        version,
      );
    } else {
      this.#sql.exec(`INSERT INTO key_events (key, offset, version) VALUES (?, ?, ?)`, key, offset, version);
    }
  }

  /** Offsets of one key's events after `offset`, in order. */
  keyOffsets(key: string, after: number, limit: number): number[] {
    const rows = this.#sql.exec<{ offset: number }>(
      `SELECT offset FROM key_events WHERE key = ?1 AND offset > ?2 ORDER BY offset LIMIT ?3`,
      key,
      after,
      limit,
    );
    return rows.toArray().map((row) => row.offset);
  }

  /**
   * One slice of forgetting: among the next ids and requests after `position`, drops those that are older than
   * `keepSince` and whose events are gone. Answers where to go on, or null at the end.
   */
  sweep(position: SweepPosition, firstHeld: number, keepSince: number): SweepPosition | null {
    if (position.table === "ids") {
      const rows = this.#sql
        .exec<IdRow>(`SELECT * FROM ids WHERE id > ?1 ORDER BY id LIMIT ?2`, position.after, SWEEP_ROWS)
        .toArray();
      for (const row of rows) {
        if (row.offset >= firstHeld || row.appended_at >= keepSince) continue;
        this.#sql.exec(`DELETE FROM ids WHERE id = ?1 AND source = ?2`, row.id, row.source);
      }
      return rows.length < SWEEP_ROWS ? { table: "requests", after: "" } : { table: "ids", after: rows.at(-1)!.id };
    }
    const rows = this.#sql
      .exec<RequestRow>(`SELECT * FROM requests WHERE key > ?1 ORDER BY key LIMIT ?2`, position.after, SWEEP_ROWS)
      .toArray();
    for (const row of rows) {
      if (row.appended_at < keepSince) this.#sql.exec(`DELETE FROM requests WHERE key = ?1`, row.key);
    }
    return rows.length < SWEEP_ROWS ? null : { table: "requests", after: rows.at(-1)!.key };
  }

  isEmpty(): boolean {
    return (
      this.#sql
        .exec<{ some: number }>(`SELECT EXISTS (SELECT 1 FROM ids) OR EXISTS (SELECT 1 FROM requests) AS some`)
        .one().some === 0
    );
  }

  clear(): void {
    for (const table of ["ids", "requests", "key_versions", "key_events"]) this.#sql.exec(`DELETE FROM ${table}`);
  }
}

export interface SweepPosition {
  readonly table: "ids" | "requests";
  readonly after: string;
}
