/** The table of one app's schedules. Append-only: a migration that has shipped is never edited. */
import type { ObjectMigration } from "../object-migrations.ts";

export const SCHEDULES_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // `id`: minted, part of the ids of its events. `event`: the definition's, which may be large. `next`: the
      // occurrence to be published, null when there is none. `due`: when it is to be tried. `attempts`, `failure`: of
      // that occurrence. `last`, `last_failure`: of the one before; null where it was published. Times in milliseconds.
      `CREATE TABLE schedules (name TEXT PRIMARY KEY, id TEXT NOT NULL, revision INTEGER NOT NULL,
        definition TEXT NOT NULL, event TEXT NOT NULL, created_at INTEGER NOT NULL, next INTEGER, due INTEGER,
        attempts INTEGER NOT NULL, failure TEXT, last INTEGER, last_failure TEXT) WITHOUT ROWID`,
      `CREATE INDEX schedules_due ON schedules (due) WHERE due IS NOT NULL`,
    ],
  },
];
