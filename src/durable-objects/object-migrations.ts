/**
 * Brings an object's tables up to the code that runs. Objects cannot use `PRAGMA user_version` (the runtime refuses
 * it), so the applied ids are rows. Runs in the constructor: at most one look at a table of a few rows on each wake.
 */
import { assert } from "../core/assert.ts";

/** A migration that has shipped is never edited, moved or taken away. */
export interface ObjectMigration {
  /** Grows along the list. */
  readonly id: number;
  readonly statements: readonly string[];
}

/**
 * Applies what has not been applied yet, each migration in a transaction of its own with the row that says so. Throws
 * when the rows know a migration that the code does not: older code must not write into newer tables.
 */
export function applyMigrations(storage: DurableObjectStorage, migrations: readonly ObjectMigration[]): void {
  const inOrder = migrations.every(({ id }, index) => id > (migrations[index - 1]?.id ?? 0));
  assert(inOrder, "migrations are in the order of their ids");
  const ledger = new AppliedMigrationsStore(storage.sql);
  const applied = ledger.ids();
  const known = migrations.slice(0, applied.length).map(({ id }) => id);
  assert(known.join() === applied.join(), `the applied migrations ${applied.join()} are the first of the code's`);
  for (const { id, statements } of migrations.slice(applied.length)) {
    storage.transactionSync(() => ledger.apply(id, statements));
  }
}

class AppliedMigrationsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS _migrations (id INTEGER PRIMARY KEY)`);
  }

  ids(): number[] {
    return this.#sql
      .exec<{ id: number }>(`SELECT id FROM _migrations ORDER BY id`)
      .toArray()
      .map(({ id }) => id);
  }

  apply(id: number, statements: readonly string[]): void {
    for (const statement of statements) this.#sql.exec(statement);
    this.#sql.exec(`INSERT INTO _migrations (id) VALUES (?1)`, id);
  }
}
