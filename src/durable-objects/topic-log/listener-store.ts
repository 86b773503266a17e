/** Who listens to the log, and what each was told: one integer a listener is the whole outbox. */
import type { ListenerName } from "../rpc.ts";

export interface ListenerRow {
  readonly name: ListenerName;
  readonly epoch: number;
  /** Written lazily: telling again is harmless. */
  readonly told: number;
  readonly types: readonly string[] | null;
  readonly keys: readonly string[] | null;
}

type Row = { name: string; epoch: number; told: number; types: string | null; keys: string | null };

export class ListenerStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): ListenerRow[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM listeners`)
      .toArray()
      .map((row) => ({
        name: JSON.parse(row.name) as ListenerName,
        epoch: row.epoch,
        told: row.told,
        types: row.types === null ? null : (JSON.parse(row.types) as string[]),
        keys: row.keys === null ? null : (JSON.parse(row.keys) as string[]),
      }));
  }

  put(row: ListenerRow): void {
    this.#sql.exec(
      `INSERT INTO listeners (name, epoch, told, types, keys) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
         epoch = excluded.epoch, told = excluded.told, types = excluded.types, keys = excluded.keys`,
      listenerKey(row.name),
      row.epoch,
      row.told,
      textOf(row.types),
      textOf(row.keys),
    );
  }

  remove(name: ListenerName): void {
    this.#sql.exec(`DELETE FROM listeners WHERE name = ?1`, listenerKey(name));
  }
}

export const listenerKey = (name: ListenerName): string => JSON.stringify(name);

const textOf = (list: readonly string[] | null): string | null => (list === null ? null : JSON.stringify(list));
