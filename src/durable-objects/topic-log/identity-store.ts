/** What makes a publish repeatable: the ids that clients chose, the requests that had a key, the versions of keys. */
import { parseAppended, type Appended } from "../../core/appended.ts";
import { unreachable } from "../../core/assert.ts";
import { eventIdentity } from "../../core/keys.ts";

export interface KnownEvent {
  readonly offset: number;
  readonly keyVersion: number | null;
  readonly fingerprint: string;
}

export interface NamedEvent extends KnownEvent {
  /** `eventIdentity` (core/keys.ts): JSON, the id first. */
  readonly identity: string;
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

/** Rows of earlier releases hold JSON, which has no line break. */
const parseEvents = (text: string): Appended[] =>
  text.includes("\n") ? parseAppended(text) : (JSON.parse(text) as Appended[]);

/** Rows that one turn of the sweep looks at. */
const SWEEP_ROWS = 1_000;

export class IdentityStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Those of these identities that are known: one call, which costs more than any row that it looks for. */
  events(identities: readonly string[]): Map<string, KnownEvent> {
    if (identities.length === 0) return new Map();
    const rows = identities.length === 1 ? this.#rowOf(identities[0]!) : this.#rowsOf(identities);
    return new Map(rows.map((row) => [eventIdentity(row.source, row.id), knownOf(row)]));
  }

  record(events: readonly NamedEvent[], appendedAt: number): void {
    if (events.length === 1) this.#insertOne(events[0]!, appendedAt);
    else if (events.length > 1) this.#insertAll(events, appendedAt);
  }

  /** One alone by its values: elements of a JSON list are billed as rows that were read. */
  #rowOf(identity: string): IdRow[] {
    const sql = `SELECT * FROM ids WHERE id = ?1 AND source = ?2`;
    return this.#sql.exec<IdRow>(sql, ...partsOf(identity)).toArray();
  }

  /** A request is ≤ 1 MB, and so is what it names; what is bound to a statement may be 2 MB. */
  #rowsOf(identities: readonly string[]): IdRow[] {
    const rows = this.#sql.exec<IdRow>(
      `SELECT ids.* FROM json_each(?1) AS wanted
       CROSS JOIN ids ON ids.id = wanted.value ->> 0 AND ids.source = wanted.value ->> 1`,
      `[${identities.join(",")}]`,
    );
    return rows.toArray();
  }

  #insertOne({ identity, offset, keyVersion, fingerprint }: NamedEvent, appendedAt: number): void {
    this.#sql.exec(
      `INSERT INTO ids (id, source, offset, key_version, fingerprint, appended_at) VALUES (?, ?, ?, ?, ?, ?)`,
      ...partsOf(identity),
      offset,
      keyVersion,
      fingerprint,
      appendedAt,
    );
  }

  #insertAll(events: readonly NamedEvent[], appendedAt: number): void {
    const rows = events.map(
      ({ identity, offset, keyVersion, fingerprint }) =>
        `[${identity.slice(1, -1)},${offset},${keyVersion},${JSON.stringify(fingerprint)}]`,
    );
    this.#sql.exec(
      `INSERT INTO ids (id, source, offset, key_version, fingerprint, appended_at)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2 FROM json_each(?1)`,
      `[${rows.join(",")}]`,
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
    return row === undefined ? null : { fingerprint: row.fingerprint, events: parseEvents(row.events) };
  }

  /** `events`: `formatAppended` (core/appended.ts). */
  recordRequest(key: string, fingerprint: string, events: string, appendedAt: number): void {
    this.#sql.exec(
      `INSERT INTO requests (key, fingerprint, events, appended_at) VALUES (?, ?, ?, ?)`,
      key,
      fingerprint,
      events,
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
   * One slice of forgetting, in the rows after `position`. Ids and requests go when they are older than `keepSince` and
   * their events are gone; of each key's rows before `keysBefore` all but the newest, which carries its version.
   * Answers where to go on, or null at the end.
   */
  sweep(position: SweepPosition, { firstHeld, keepSince, keysBefore }: SweepBounds): SweepPosition | null {
    switch (position.table) {
      case "key_events":
        return this.#sweepKeyEvents(position.after, keysBefore) ?? { table: "ids", after: "" };
      case "ids":
        return this.#sweepIds(position.after, firstHeld, keepSince) ?? { table: "requests", after: "" };
      case "requests":
        return this.#sweepRequests(position.after, keepSince);
      default:
        return unreachable(position.table);
    }
  }

  #sweepIds(after: string, firstHeld: number, keepSince: number): SweepPosition | null {
    const rows = this.#sql
      .exec<IdRow>(`SELECT * FROM ids WHERE id > ?1 ORDER BY id LIMIT ?2`, after, SWEEP_ROWS)
      .toArray();
    for (const row of rows) {
      if (row.offset >= firstHeld || row.appended_at >= keepSince) continue;
      this.#sql.exec(`DELETE FROM ids WHERE id = ?1 AND source = ?2`, row.id, row.source);
    }
    return rows.length < SWEEP_ROWS ? null : { table: "ids", after: rows.at(-1)!.id };
  }

  #sweepRequests(after: string, keepSince: number): SweepPosition | null {
    const rows = this.#sql
      .exec<RequestRow>(`SELECT * FROM requests WHERE key > ?1 ORDER BY key LIMIT ?2`, after, SWEEP_ROWS)
      .toArray();
    for (const row of rows) {
      if (row.appended_at < keepSince) this.#sql.exec(`DELETE FROM requests WHERE key = ?1`, row.key);
    }
    return rows.length < SWEEP_ROWS ? null : { table: "requests", after: rows.at(-1)!.key };
  }

  /** Key by key, so that rows still held are not read. A key with more than a slice of old rows is met again. */
  #sweepKeyEvents(after: string, before: number): SweepPosition | null {
    let done = after;
    for (let left = SWEEP_ROWS; left > 0; left -= 1) {
      const { key } = this.#sql
        .exec<{ key: string | null }>(`SELECT min(key) AS key FROM key_events WHERE key > ?1`, done)
        .one();
      if (key === null) return null;
      const dropped = this.#sql.exec(
        `DELETE FROM key_events WHERE key = ?1 AND offset IN (
           SELECT offset FROM key_events
           WHERE key = ?1 AND offset < min(?2, (SELECT max(offset) FROM key_events WHERE key = ?1))
           ORDER BY offset LIMIT ?3)`,
        key,
        before,
        left,
      ).rowsWritten;
      if (dropped >= left) break;
      left -= dropped;
      done = key;
    }
    return { table: "key_events", after: done };
  }

  /** Whether there are ids or requests, which a sweep may forget. */
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

const partsOf = (identity: string) => JSON.parse(identity) as [id: string, source: string];

const knownOf = ({ offset, key_version: keyVersion, fingerprint }: IdRow): KnownEvent => ({
  offset,
  keyVersion,
  fingerprint,
});

export interface SweepPosition {
  readonly table: "key_events" | "ids" | "requests";
  readonly after: string;
}

export interface SweepBounds {
  readonly firstHeld: number;
  /** Younger ids and requests stay, milliseconds. */
  readonly keepSince: number;
  readonly keysBefore: number;
}
