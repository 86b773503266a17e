/** An object's few single facts, a row each, by their names: its table `meta`. */
export class MetaStore<Values> {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read<Name extends keyof Values & string>(name: Name): Values[Name] | null {
    const row = this.#sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = ?1`, name).toArray()[0];
    return row === undefined ? null : (JSON.parse(row.value) as Values[Name]);
  }

  write<Name extends keyof Values & string>(name: Name, value: Values[Name]): void {
    this.#sql.exec(
      `INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      name,
      JSON.stringify(value),
    );
  }

  remove(name: keyof Values & string): void {
    this.#sql.exec(`DELETE FROM meta WHERE name = ?1`, name);
  }
}
