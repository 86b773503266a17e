/** The tables of one partition's log. Append-only: a migration that has shipped is never edited. */
import { CREATE_ANNOUNCEMENTS } from "../announcement-store.ts";
import type { ObjectMigration } from "../object-migrations.ts";

export const LOG_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // `life`: epoch and policy. `trim`: what segments cannot tell once they are gone. `sweep`: see trim.ts.
      `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
      // One row a flush, one event a line of `body` (core/event.ts). `bytes_through` counts all bytes ever appended, so
      // that the size of any range is a subtraction. `appended_at` needs no index: it grows with the offset, and is
      // found by bisection.
      `CREATE TABLE segments (first_offset INTEGER PRIMARY KEY, count INTEGER NOT NULL, appended_at INTEGER NOT NULL,
        bytes_through INTEGER NOT NULL, body TEXT NOT NULL)`,
      // Ids that clients chose. They outlive their events, so that an id is not opened again by retention.
      `CREATE TABLE ids (id TEXT NOT NULL, source TEXT NOT NULL, offset INTEGER NOT NULL, key_version INTEGER,
        fingerprint TEXT NOT NULL, appended_at INTEGER NOT NULL, PRIMARY KEY (id, source)) WITHOUT ROWID`,
      // Requests with an Idempotency-Key, one row each; `events` is the answer's list as JSON.
      `CREATE TABLE requests (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, events TEXT NOT NULL,
        appended_at INTEGER NOT NULL) WITHOUT ROWID`,
      // index "version": the count of each key's events.
      `CREATE TABLE key_versions (key TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID`,
      // index "key": a row an event.
      `CREATE TABLE key_events (key TEXT NOT NULL, offset INTEGER NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (key, offset)) WITHOUT ROWID`,
      // Who is told of new events; `types` and `keys` are JSON lists or null. A row of an older epoch is a farewell
      // that has not been heard yet.
      `CREATE TABLE listeners (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, told INTEGER NOT NULL, types TEXT,
        keys TEXT) WITHOUT ROWID`,
    ],
  },
  {
    id: 2,
    statements: [
      // How many follow the channel in each hub, by that hub's latest word.
      `CREATE TABLE occupants (hub TEXT PRIMARY KEY, version INTEGER NOT NULL, followers INTEGER NOT NULL)
       WITHOUT ROWID`,
      CREATE_ANNOUNCEMENTS,
    ],
  },
  {
    id: 3,
    statements: [
      // What `$system.client-events` is to be told of.
      `CREATE TABLE client_events (seq INTEGER PRIMARY KEY AUTOINCREMENT, full TEXT NOT NULL, bare TEXT NOT NULL)`,
    ],
  },
  {
    id: 4,
    statements: [
      // What commands have folded of a key's events up to `offset`: one row a key and command.
      `CREATE TABLE snapshots (key TEXT NOT NULL, command TEXT NOT NULL, definition TEXT NOT NULL, fold TEXT NOT NULL,
        version INTEGER NOT NULL, offset INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (key, command))
       WITHOUT ROWID`,
    ],
  },
  {
    id: 5,
    statements: [
      // When the first event of the segment expires (core/expiry.ts), milliseconds; null: none of them does.
      `ALTER TABLE segments ADD COLUMN expires_at INTEGER`,
      // Events for later. `draft` is a core/event.ts EventDraft as JSON.
      `CREATE TABLE scheduled (seq INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, id TEXT NOT NULL,
        source TEXT NOT NULL, fingerprint TEXT NOT NULL, producer TEXT NOT NULL, draft TEXT NOT NULL)`,
      `CREATE UNIQUE INDEX scheduled_identity ON scheduled (id, source)`,
      `CREATE INDEX scheduled_due ON scheduled (due, seq)`,
    ],
  },
  {
    id: 6,
    statements: [
      // What `$system.operations` is to be told of.
      `CREATE TABLE operations (seq INTEGER PRIMARY KEY AUTOINCREMENT, full TEXT NOT NULL, bare TEXT NOT NULL)`,
      // When it was told last that a schema refuses events of a type, milliseconds, and how many were refused since.
      `CREATE TABLE rejections (type TEXT PRIMARY KEY, told_at INTEGER NOT NULL, untold INTEGER NOT NULL)
       WITHOUT ROWID`,
    ],
  },
];
