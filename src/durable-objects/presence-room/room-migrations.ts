/** The tables of one presence channel. Append-only: a migration that has shipped is never edited. */
import { CREATE_ANNOUNCEMENTS } from "../announcement-store.ts";
import type { ObjectMigration } from "../object-migrations.ts";

export const ROOM_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // One row. `epoch`: the topic's life; `ended`: 1 when that is over. `version` counts changes, in all lives.
      `CREATE TABLE room (id INTEGER PRIMARY KEY CHECK (id = 0), epoch INTEGER NOT NULL, ended INTEGER NOT NULL,
        version INTEGER NOT NULL)`,
      `INSERT INTO room (id, epoch, ended, version) VALUES (0, 0, 1, 0)`,
      // Who is present. `data` is JSON or null; `leaves_at` is set while a member without connections may return.
      `CREATE TABLE members (id TEXT PRIMARY KEY, data TEXT, leaves_at INTEGER) WITHOUT ROWID`,
      `CREATE TABLE connections (hub TEXT NOT NULL, connection TEXT NOT NULL, member TEXT NOT NULL,
        PRIMARY KEY (hub, connection)) WITHOUT ROWID`,
      // Hubs in whose sockets somebody looks on. `told`: the version that it is known to have, -1 for none.
      `CREATE TABLE hubs (hub TEXT PRIMARY KEY, seq INTEGER NOT NULL, heard_at INTEGER NOT NULL,
        told INTEGER NOT NULL) WITHOUT ROWID`,
      CREATE_ANNOUNCEMENTS,
    ],
  },
];
