/** The tables of one subscription's ledger. Append-only: a migration that has shipped is never edited. */
import type { ObjectMigration } from "../object-migrations.ts";

export const LEDGER_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // `definition`, `state`, `dispatches`: how many were ever opened, `removed`: a tombstone.
      `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
      // One life of one partition, never deleted: its number stands in the ids of its deliveries, and it holds the
      // counters. `state`: live | frozen (no longer followed) | retired (that life has ended).
      `CREATE TABLE sources (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        epoch INTEGER NOT NULL, examined INTEGER NOT NULL, behind INTEGER NOT NULL, state TEXT NOT NULL,
        matched INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
        expired INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, discarded INTEGER NOT NULL DEFAULT 0,
        UNIQUE (topic, partition, epoch))`,
      // What was sent to the queue and is not settled to the end. `deliveries`: JSON [[source, offset, attempt], …] of
      // those still open, `open` their number; `delivered`: JSON {source: count} of what was delivered out of this row
      // and is not in the source's counter yet. `parked`: each delivery has a row in `retries`.
      `CREATE TABLE dispatches (id INTEGER PRIMARY KEY, deliveries TEXT NOT NULL, open INTEGER NOT NULL,
        delivered TEXT NOT NULL, parked INTEGER NOT NULL, opened_at INTEGER NOT NULL, claim INTEGER NOT NULL,
        lease_until INTEGER NOT NULL, ring_at INTEGER NOT NULL, rings INTEGER NOT NULL, lapses INTEGER NOT NULL)`,
      // Deliveries that failed or were redriven. `dispatch`: the open one it goes with; null while it waits. `alone`:
      // its last claim lapsed, so it goes by itself. `line`: its own copy of the event, if it was dead before.
      `CREATE TABLE retries (source INTEGER NOT NULL, offset INTEGER NOT NULL, attempts_made INTEGER NOT NULL,
        next_at INTEGER NOT NULL, dispatch INTEGER, redrive INTEGER NOT NULL, alone INTEGER NOT NULL,
        owed_since INTEGER NOT NULL, line TEXT, attempts TEXT NOT NULL, PRIMARY KEY (source, offset)) WITHOUT ROWID`,
      `CREATE INDEX retries_due ON retries (next_at) WHERE dispatch IS NULL`,
      `CREATE TABLE dead_letters (seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, offset INTEGER NOT NULL,
        reason TEXT NOT NULL, died_at INTEGER NOT NULL, line TEXT NOT NULL, attempts TEXT NOT NULL,
        UNIQUE (source, offset))`,
    ],
  },
  {
    id: 2,
    statements: [
      // Of a dispatch that pull workers hold: JSON {"source_offset": [since, until, nonce]}, and `lease_until` is the
      // earliest end. Null: it goes through the queue.
      `ALTER TABLE dispatches ADD COLUMN leases TEXT`,
    ],
  },
  {
    id: 3,
    statements: [
      // Deliveries behind others of their lane. `next`: its lane is free, and it is the first of it.
      `CREATE TABLE waiting (source INTEGER NOT NULL, lane TEXT NOT NULL, offset INTEGER NOT NULL,
        owed_since INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (source, lane, offset)) WITHOUT ROWID`,
      `CREATE INDEX waiting_next ON waiting (owed_since) WHERE next = 1`,
      // Null: it stands in no lane. Deliveries in dispatches.deliveries have theirs as a fourth element.
      `ALTER TABLE retries ADD COLUMN lane TEXT`,
      `CREATE INDEX retries_lane ON retries (source, lane) WHERE lane IS NOT NULL`,
    ],
  },
  {
    id: 4,
    statements: [
      // What was delivered last, with its attempts, where the owner asks for all of them.
      `CREATE TABLE delivered (seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, offset INTEGER NOT NULL,
        attempts TEXT NOT NULL)`,
    ],
  },
];
