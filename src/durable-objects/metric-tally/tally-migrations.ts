/** The table of one tally. Append-only: a migration that has shipped is never edited. */
import type { ObjectMigration } from "../object-migrations.ts";

export const TALLY_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    // `series`: all series of the app (empty: of the hub as a whole) as one JSON list, so that a flush writes one row.
    statements: [`CREATE TABLE tallies (app TEXT PRIMARY KEY, series TEXT NOT NULL) WITHOUT ROWID`],
  },
];
