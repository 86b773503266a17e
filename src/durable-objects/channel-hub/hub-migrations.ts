/** The tables of one hub. Append-only: a migration that has shipped is never edited. */
import type { ObjectMigration } from "../object-migrations.ts";

export const HUB_MIGRATIONS: readonly ObjectMigration[] = [
  {
    id: 1,
    statements: [
      // A topic that somebody here follows: FollowedTopic as JSON.
      `CREATE TABLE topics (topic TEXT PRIMARY KEY, followed TEXT NOT NULL) WITHOUT ROWID`,
      // How far the live followers of each partition have come. One row a push: it is what makes a hole visible.
      `CREATE TABLE positions (topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)) WITHOUT ROWID`,
      // Who follows what. `filter` is JSON or null; `behind` is null for a live follower, else its own offsets by
      // partition as a JSON list.
      `CREATE TABLE follows (connection TEXT NOT NULL, topic TEXT NOT NULL, filter TEXT, behind TEXT,
        PRIMARY KEY (connection, topic)) WITHOUT ROWID`,
    ],
  },
  {
    id: 2,
    statements: [
      // Credentials that were taken back (core/revocation.ts): an isolate that has not heard of it yet may still send
      // their bearers here.
      `CREATE TABLE revocations (kind TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL, PRIMARY KEY (kind, subject)) WITHOUT ROWID`,
    ],
  },
  {
    id: 3,
    statements: [
      // One row once the hub has asked for what was taken back before it was one of those that are told.
      `CREATE TABLE past_revocations_known (known INTEGER PRIMARY KEY)`,
    ],
  },
  {
    id: 4,
    statements: [
      // Who looks on in a presence channel, and who is a member of it. `member` and `data`: null of one that only looks
      // on. `told`: 1 when the room has this. `sees`: 1 when the client was shown the members. `grace_ms`: it has left,
      // and the room is still to be told how long its member may stay away; else null.
      `CREATE TABLE seats (topic TEXT NOT NULL, connection TEXT NOT NULL, member TEXT, data TEXT, told INTEGER NOT NULL,
        sees INTEGER NOT NULL, grace_ms INTEGER, PRIMARY KEY (topic, connection)) WITHOUT ROWID`,
      // The members of a channel as its clients here were told them, and the version that this is.
      `CREATE TABLE member_views (topic TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE TABLE seen_members (topic TEXT NOT NULL, member TEXT NOT NULL, data TEXT,
        PRIMARY KEY (topic, member)) WITHOUT ROWID`,
      // While somebody here is a member: when it is next looked who is silent. One row.
      `CREATE TABLE silence_looks (id INTEGER PRIMARY KEY CHECK (id = 0), look_at INTEGER NOT NULL,
        full_at INTEGER NOT NULL)`,
    ],
  },
  {
    id: 5,
    statements: [
      // What each channel's log was told last of its followers here, in which life (LogLife as JSON).
      `CREATE TABLE told_followers (topic TEXT PRIMARY KEY, life TEXT NOT NULL, followers INTEGER NOT NULL)
       WITHOUT ROWID`,
    ],
  },
  {
    id: 6,
    statements: [
      // Whose coming and going a connection wants to hear of: ids of users as a JSON list. `greeted`: 1 when it was
      // told who of them is online, and hears of changes.
      `CREATE TABLE watchlists (connection TEXT PRIMARY KEY, users TEXT NOT NULL, greeted INTEGER NOT NULL)
       WITHOUT ROWID`,
      // When those who are still to answer were asked.
      `ALTER TABLE silence_looks ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0`,
    ],
  },
];
