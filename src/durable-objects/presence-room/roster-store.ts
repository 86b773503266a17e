/** A room's rows: which life it is in, who is present, and through which connections of which hubs. */
import type { ConnectionRow, KeptRoster, MemberRow, RosterRows } from "../../core/roster.ts";

interface RoomLife {
  readonly epoch: number;
  readonly ended: boolean;
}

export class RosterStore implements RosterRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  life(): RoomLife {
    const row = this.#sql.exec<{ epoch: number; ended: number }>(`SELECT epoch, ended FROM room`).one();
    return { epoch: row.epoch, ended: row.ended === 1 };
  }

  putLife({ epoch, ended }: RoomLife): void {
    this.#sql.exec(`UPDATE room SET epoch = ?1, ended = ?2`, epoch, ended ? 1 : 0);
  }

  roster(): KeptRoster {
    const { version } = this.#sql.exec<{ version: number }>(`SELECT version FROM room`).one();
    const members = this.#sql
      .exec<{ id: string; data: string | null; leavesAt: number | null }>(
        `SELECT id, data, leaves_at AS leavesAt FROM members`,
      )
      .toArray();
    const connections = this.#sql
      .exec<ConnectionRow & Record<string, SqlStorageValue>>(`SELECT hub, connection, member FROM connections`)
      .toArray();
    return { version, members, connections };
  }

  putVersion(version: number): void {
    this.#sql.exec(`UPDATE room SET version = ?1`, version);
  }

  putMember({ id, data, leavesAt }: MemberRow): void {
    this.#sql.exec(
      `INSERT INTO members (id, data, leaves_at) VALUES (?1, ?2, ?3)
       ON CONFLICT (id) DO UPDATE SET data = excluded.data, leaves_at = excluded.leaves_at`,
      id,
      data,
      leavesAt,
    );
  }

  removeMember(id: string): void {
    this.#sql.exec(`DELETE FROM members WHERE id = ?1`, id);
  }

  putConnection({ hub, connection, member }: ConnectionRow): void {
    this.#sql.exec(
      `INSERT INTO connections (hub, connection, member) VALUES (?1, ?2, ?3)
       ON CONFLICT (hub, connection) DO UPDATE SET member = excluded.member`,
      hub,
      connection,
      member,
    );
  }

  removeConnection(hub: string, connection: string): void {
    this.#sql.exec(`DELETE FROM connections WHERE hub = ?1 AND connection = ?2`, hub, connection);
  }
}
