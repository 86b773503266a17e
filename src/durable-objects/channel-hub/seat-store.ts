/** Who of a hub's connections is present where, what they were shown, and when the hub looks after them. */
import type { Member } from "../../core/member.ts";

export interface SeatRow {
  readonly topic: string;
  readonly connection: string;
  /** Null: it only looks on. */
  readonly member: Member | null;
  /** The room has this. */
  readonly told: boolean;
  /** The client was shown the members, and hears what becomes of them. */
  readonly sees: boolean;
  /** It has left, and the room is still to be told how long its member may stay away; else null. */
  readonly graceMs: number | null;
}

export interface SilenceLook {
  readonly lookAt: number;
  /** When everybody is looked at, and every channel's room told who is here. */
  readonly fullAt: number;
  /** When that was done last; 0: not since anybody is a member here. */
  readonly askedAt: number;
}

type Row = {
  topic: string;
  connection: string;
  member: string | null;
  data: string | null;
  told: number;
  sees: number;
  grace_ms: number | null;
};

export class SeatStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): SeatRow[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM seats`)
      .toArray()
      .map(({ topic, connection, member, data, told, sees, grace_ms: graceMs }) => ({
        topic,
        connection,
        member: member === null ? null : { id: member, data },
        told: told === 1,
        sees: sees === 1,
        graceMs,
      }));
  }

  put({ topic, connection, member, told, sees, graceMs }: SeatRow): void {
    this.#sql.exec(
      `INSERT INTO seats (topic, connection, member, data, told, sees, grace_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (topic, connection) DO UPDATE SET member = excluded.member, data = excluded.data,
         told = excluded.told, sees = excluded.sees, grace_ms = excluded.grace_ms`,
      topic,
      connection,
      member?.id ?? null,
      member?.data ?? null,
      told ? 1 : 0,
      sees ? 1 : 0,
      graceMs,
    );
  }

  remove(topic: string, connection: string): void {
    this.#sql.exec(`DELETE FROM seats WHERE topic = ?1 AND connection = ?2`, topic, connection);
  }

  /** The version of each view, by topic. */
  views(): { topic: string; version: number }[] {
    return this.#sql.exec<{ topic: string; version: number }>(`SELECT topic, version FROM member_views`).toArray();
  }

  seen(topic: string): [id: string, data: string | null][] {
    return this.#sql
      .exec<{ member: string; data: string | null }>(`SELECT member, data FROM seen_members WHERE topic = ?1`, topic)
      .toArray()
      .map(({ member, data }) => [member, data]);
  }

  putView(topic: string, version: number): void {
    this.#sql.exec(
      `INSERT INTO member_views (topic, version) VALUES (?1, ?2)
       ON CONFLICT (topic) DO UPDATE SET version = excluded.version`,
      topic,
      version,
    );
  }

  putSeen(topic: string, { id, data }: Member): void {
    this.#sql.exec(
      `INSERT INTO seen_members (topic, member, data) VALUES (?1, ?2, ?3)
       ON CONFLICT (topic, member) DO UPDATE SET data = excluded.data`,
      topic,
      id,
      data,
    );
  }

  removeSeen(topic: string, id: string): void {
    this.#sql.exec(`DELETE FROM seen_members WHERE topic = ?1 AND member = ?2`, topic, id);
  }

  removeView(topic: string): void {
    this.#sql.exec(`DELETE FROM member_views WHERE topic = ?1`, topic);
    this.#sql.exec(`DELETE FROM seen_members WHERE topic = ?1`, topic);
  }

  look(): SilenceLook | null {
    const sql = `SELECT look_at AS lookAt, full_at AS fullAt, asked_at AS askedAt FROM silence_looks`;
    return this.#sql.exec<{ lookAt: number; fullAt: number; askedAt: number }>(sql).toArray()[0] ?? null;
  }

  putLook(look: SilenceLook | null): void {
    if (look === null) return void this.#sql.exec(`DELETE FROM silence_looks`);
    this.#sql.exec(
      `INSERT INTO silence_looks (id, look_at, full_at, asked_at) VALUES (0, ?1, ?2, ?3)
       ON CONFLICT (id) DO UPDATE SET look_at = excluded.look_at, full_at = excluded.full_at,
         asked_at = excluded.asked_at`,
      look.lookAt,
      look.fullAt,
      look.askedAt,
    );
  }
}
