/** What commands have folded of keys' events, so that a long stream is not folded anew. Only ever a short cut. */
import type { KeySnapshot, SnapshotOwner } from "../../core/key-state.ts";

export class SnapshotStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null when there is none, or one of an earlier definition of the command. */
  find(key: string, { command, definition }: SnapshotOwner): KeySnapshot | null {
    const row = this.#sql
      .exec<{
        fold: string;
        version: number;
        offset: number;
        state: string;
      }>(
        `SELECT fold, version, offset, state FROM snapshots WHERE key = ?1 AND command = ?2 AND definition = ?3`,
        key,
        command,
        definition,
      )
      .toArray()[0];
    return row ?? null;
  }

  /** Replaces what stands, unless that is of the same definition and fold, and of a later event. */
  keep(key: string, { command, definition }: SnapshotOwner, snapshot: KeySnapshot): void {
    this.#sql.exec(
      `INSERT INTO snapshots (key, command, definition, fold, version, offset, state) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, command) DO UPDATE SET definition = excluded.definition, fold = excluded.fold,
         version = excluded.version, offset = excluded.offset, state = excluded.state
       WHERE definition <> excluded.definition OR fold <> excluded.fold OR version < excluded.version`,
      key,
      command,
      definition,
      snapshot.fold,
      snapshot.version,
      snapshot.offset,
      snapshot.state,
    );
  }

  forget(command: string): void {
    this.#sql.exec(`DELETE FROM snapshots WHERE command = ?1`, command);
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM snapshots`);
  }
}
