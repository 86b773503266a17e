/** The table of one app's meter. Append-only: a migration that has shipped is never edited. */
import type { ObjectMigration } from "../object-migrations.ts";

export const METER_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // `subject`: `app` or the id of a key. `window`: days since 1970. `lent`: units that isolates have had of it.
      `CREATE TABLE counts (subject TEXT NOT NULL, rate TEXT NOT NULL, window INTEGER NOT NULL, lent INTEGER NOT NULL,
        PRIMARY KEY (subject, rate)) WITHOUT ROWID`,
    ],
  },
];
