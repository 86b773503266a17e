/** What this hub has told each channel's log of its followers: what stands otherwise now is still to be told. */
import type { LogLife } from "../rpc.ts";

export interface ToldRow {
  readonly topic: string;
  /** The life of the topic in which it was told. */
  readonly life: LogLife;
  readonly followers: number;
}

export class ToldStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): ToldRow[] {
    return this.#sql
      .exec<{ topic: string; life: string; followers: number }>(`SELECT topic, life, followers FROM told_followers`)
      .toArray()
      .map(({ topic, life, followers }) => ({ topic, life: JSON.parse(life) as LogLife, followers }));
  }

  put({ topic, life, followers }: ToldRow): void {
    this.#sql.exec(
      `INSERT INTO told_followers (topic, life, followers) VALUES (?1, ?2, ?3)
       ON CONFLICT (topic) DO UPDATE SET life = excluded.life, followers = excluded.followers`,
      topic,
      JSON.stringify(life),
      followers,
    );
  }

  remove(topic: string): void {
    this.#sql.exec(`DELETE FROM told_followers WHERE topic = ?1`, topic);
  }
}
