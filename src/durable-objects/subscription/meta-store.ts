/** The ledger's few single facts. */
import type { SubscriptionDefinition, SubscriptionState } from "../../core/subscription.ts";

interface MetaValues {
  definition: SubscriptionDefinition;
  state: SubscriptionState;
  /** How many dispatches were ever opened: the last one's id. */
  dispatches: number;
  /** A removed subscription stays removed: its id is never minted again, so a late call must not revive it. */
  removed: true;
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
}
