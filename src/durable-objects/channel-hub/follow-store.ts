/** Who follows what and how far: all that a hub must still know after an eviction. */
import type { FilterPattern } from "../../core/filter-pattern.ts";
import type { FollowedTopic } from "../rpc.ts";

export interface FollowRow {
  readonly connection: string;
  readonly topic: string;
  readonly filter: FilterPattern | null;
  /** Offsets by partition of a follower that is not live; null: live. */
  readonly behind: readonly number[] | null;
}

type Row = { connection: string; topic: string; filter: string | null; behind: string | null };

export class FollowStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  topics(): FollowedTopic[] {
    return this.#sql
      .exec<{ followed: string }>(`SELECT followed FROM topics`)
      .toArray()
      .map((row) => JSON.parse(row.followed) as FollowedTopic);
  }

  positions(topic: string): { partition: number; offset: number }[] {
    return this.#sql
      .exec<{ partition: number; offset: number }>(`SELECT partition, offset FROM positions WHERE topic = ?1`, topic)
      .toArray();
  }

  follows(): FollowRow[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM follows`)
      .toArray()
      .map((row) => ({
        connection: row.connection,
        topic: row.topic,
        filter: row.filter === null ? null : (JSON.parse(row.filter) as FilterPattern),
        behind: row.behind === null ? null : (JSON.parse(row.behind) as number[]),
      }));
  }

  putTopic(followed: FollowedTopic): void {
    this.#sql.exec(
      `INSERT INTO topics (topic, followed) VALUES (?1, ?2)
       ON CONFLICT (topic) DO UPDATE SET followed = excluded.followed`,
      followed.topic,
      JSON.stringify(followed),
    );
  }

  putPosition(topic: string, partition: number, offset: number): void {
    this.#sql.exec(
      `INSERT INTO positions (topic, partition, offset) VALUES (?1, ?2, ?3)
      ON CONFLICT (topic, partition) DO UPDATE SET offset = excluded.offset`,
      topic,
      partition,
      offset,
    );
  }

  removeTopic(topic: string): void {
    this.#sql.exec(`DELETE FROM topics WHERE topic = ?1`, topic);
    this.#sql.exec(`DELETE FROM positions WHERE topic = ?1`, topic);
  }

  putFollow({ connection, topic, filter, behind }: FollowRow): void {
    this.#sql.exec(
      `INSERT INTO follows (connection, topic, filter, behind) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (connection, topic) DO UPDATE SET filter = excluded.filter, behind = excluded.behind`,
      connection,
      topic,
      filter === null ? null : JSON.stringify(filter),
      behind === null ? null : JSON.stringify(behind),
    );
  }

  removeFollow(connection: string, topic: string): void {
    this.#sql.exec(`DELETE FROM follows WHERE connection = ?1 AND topic = ?2`, connection, topic);
  }

  removeConnection(connection: string): void {
    this.#sql.exec(`DELETE FROM follows WHERE connection = ?1`, connection);
  }
}
