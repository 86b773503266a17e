/** The log's few facts that are not events: its life, what trimming removed, where the sweep stands. */
import type { LogLife } from "../rpc.ts";
import type { SweepPosition } from "./identity-store.ts";
import type { LogEnds } from "./segment-store.ts";

/** A life that has ended keeps its epoch, so that a caller with stale configuration is still refused. */
export type Life =
  { readonly kind: "live"; readonly life: LogLife } | { readonly kind: "retired"; readonly epoch: number };

export interface Sweep {
  readonly finishedAt: number;
  /** Null between sweeps. */
  readonly position: SweepPosition | null;
  /** What the last sweep, or the one under way, takes from the index of keys: rows of events before this offset. */
  readonly keysBefore: number;
}

interface MetaValues {
  life: Life;
  trim: LogEnds;
  sweep: Sweep;
}

export class MetaStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read<Name extends keyof MetaValues>(name: Name): MetaValues[Name] | null {
    const row = this.#sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = ?1`, name).toArray()[0];
    return row === undefined ? null : (JSON.parse(row.value) as MetaValues[Name]);
  }

  write<Name extends keyof MetaValues>(name: Name, value: MetaValues[Name]): void {
    this.#sql.exec(
      `INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      name,
      JSON.stringify(value),
    );
  }

  remove(name: keyof MetaValues): void {
    this.#sql.exec(`DELETE FROM meta WHERE name = ?1`, name);
  }
}
