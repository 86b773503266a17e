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
  {
    id: 5,
    statements: [
      // `generation`: how often the place was set back by a seek; each examination has its own row, and so its own ids.
      // `replay`: the job whose deliveries it holds, 0 for those that follow the log. `state` past: replaced by a
      // later generation, or a replay that is over; what is owed from it stays owed.
      `CREATE TABLE sources_of_generations (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        epoch INTEGER NOT NULL, generation INTEGER NOT NULL DEFAULT 0, replay INTEGER NOT NULL DEFAULT 0,
        examined INTEGER NOT NULL, behind INTEGER NOT NULL, state TEXT NOT NULL,
        matched INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
        expired INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, discarded INTEGER NOT NULL DEFAULT 0,
        UNIQUE (topic, partition, epoch, generation, replay))`,
      `INSERT INTO sources_of_generations (id, topic, partition, epoch, examined, behind, state, matched, delivered,
         dead, expired, skipped, discarded)
       SELECT id, topic, partition, epoch, examined, behind, state, matched, delivered, dead, expired, skipped,
         discarded FROM sources`,
      `DROP TABLE sources`,
      `ALTER TABLE sources_of_generations RENAME TO sources`,
      // `fingerprint`: of the error (core/dead-letter-fingerprint.ts), empty for those that died before there was one.
      `ALTER TABLE dead_letters ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''`,
      `ALTER TABLE dead_letters ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0`,
      `ALTER TABLE retries ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0`,
      `CREATE INDEX dead_letters_alike ON dead_letters (fingerprint, seq)`,
      // `spec`: what is to be done, as JSON (JobSpec). `after`: how far it has come; `until`: dead letters that came
      // later are not its own. `next_at`: its next slice, or when somebody must look why there was none.
      `CREATE TABLE jobs (id INTEGER PRIMARY KEY, spec TEXT NOT NULL, state TEXT NOT NULL, matched INTEGER NOT NULL,
        done INTEGER NOT NULL, after INTEGER NOT NULL, until INTEGER NOT NULL, per_second INTEGER,
        next_at INTEGER NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER)`,
      `CREATE INDEX jobs_due ON jobs (next_at) WHERE state = 'running'`,
    ],
  },
  {
    id: 6,
    statements: [
      // Deaths to be told of: drafts as JSON text, with the event inside, and without it where that is refused.
      `CREATE TABLE announcements (seq INTEGER PRIMARY KEY AUTOINCREMENT, full TEXT NOT NULL, bare TEXT NOT NULL)`,
    ],
  },
  {
    id: 7,
    statements: [
      // Mode `batch`: until when the events of a source stay in its log, so that more may come along.
      `CREATE TABLE gathers (source INTEGER PRIMARY KEY, until INTEGER NOT NULL)`,
    ],
  },
  {
    id: 8,
    statements: [
      // `began`: where the looking began. `known`: from that offset on what its life passed over stands in
      // `passed_over`. Of a replay `state` is replaying until it is past; `until`: the last offset of its range;
      // `granted`: the last that it may look at now.
      `ALTER TABLE sources ADD COLUMN began INTEGER NOT NULL DEFAULT 0`,
      `ALTER TABLE sources ADD COLUMN known INTEGER NOT NULL DEFAULT 1`,
      `ALTER TABLE sources ADD COLUMN until INTEGER`,
      `ALTER TABLE sources ADD COLUMN granted INTEGER`,
      `UPDATE sources SET known = examined + 1`,
      `CREATE INDEX sources_of_replays ON sources (replay) WHERE replay > 0`,
      // Offsets of one life of a partition, both ends included, that were passed over or given up.
      `CREATE TABLE passed_over (topic TEXT NOT NULL, partition INTEGER NOT NULL, epoch INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (topic, partition, epoch, first)) WITHOUT ROWID`,
    ],
  },
  {
    id: 9,
    statements: [
      // What the ledger did by itself and `$system.operations` is to be told of.
      `CREATE TABLE operations (seq INTEGER PRIMARY KEY AUTOINCREMENT, full TEXT NOT NULL, bare TEXT NOT NULL)`,
      `ALTER TABLE delivered ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0`,
    ],
  },
  {
    id: 10,
    statements: [
      // Deliveries that are jobs of a batch. `outcome`: null while it is owed; then its batch is to be told.
      `CREATE TABLE batch_jobs (source INTEGER NOT NULL, offset INTEGER NOT NULL, batch TEXT NOT NULL,
        job INTEGER NOT NULL, run INTEGER NOT NULL, outcome TEXT, reason TEXT, PRIMARY KEY (source, offset))
        WITHOUT ROWID`,
      `CREATE INDEX batch_jobs_ended ON batch_jobs (batch) WHERE outcome IS NOT NULL`,
      // None of their jobs is to begin any more.
      `CREATE TABLE cancelled_batches (batch TEXT PRIMARY KEY, cancelled_at INTEGER NOT NULL) WITHOUT ROWID`,
    ],
  },
  {
    id: 11,
    statements: [
      // What sources of this job have let through that are no rows any more; what they looked at is in `done`.
      `ALTER TABLE jobs ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0`,
    ],
  },
];
