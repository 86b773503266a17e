/** The tables of one batch. Append-only: a migration that has shipped is never edited. */
import { CREATE_ANNOUNCEMENTS } from "../announcement-store.ts";
import type { ObjectMigration } from "../object-migrations.ts";

export const BATCH_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
      // `draft`: the event as JSON text, without id and source. `run`: how often it was published, or is about to be.
      `CREATE TABLE jobs (job INTEGER PRIMARY KEY, type TEXT NOT NULL, draft TEXT NOT NULL, state TEXT NOT NULL,
        run INTEGER NOT NULL, reason TEXT)`,
      `CREATE INDEX jobs_by_state ON jobs (state, job)`,
      // Requests that brought more jobs, so that a repeat brings none.
      `CREATE TABLE requests (request TEXT PRIMARY KEY) WITHOUT ROWID`,
      // What is to be told of the batch.
      CREATE_ANNOUNCEMENTS,
    ],
  },
];
