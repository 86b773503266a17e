/** The ledger's few single facts. */
import type { RateBucket } from "../../core/ledger-rate.ts";
import type { SubscriptionDefinition, SubscriptionState } from "../../core/subscription.ts";

/** The endpoint has failed, and its object may count failures that a success must end. */
export interface EndpointWatched {
  /** Its breaker is open: nothing goes out before this, and then one delivery. Null: it is not. */
  readonly heldUntil: number | null;
}

interface MetaValues {
  definition: SubscriptionDefinition;
  state: SubscriptionState;
  /** Absent while the endpoint is well, as far as anybody knows. */
  endpoint: EndpointWatched;
  /** Up to which number ids of dispatches have been reserved. */
  dispatches: number;
  /** What the rate lets go. */
  rate: RateBucket;
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

  remove(name: keyof MetaValues): void {
    this.#sql.exec(`DELETE FROM meta WHERE name = ?1`, name);
  }
}
