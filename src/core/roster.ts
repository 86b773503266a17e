/**
 * Who is present in a channel: one member a user, however many connections it has in however many hubs. It decides and
 * counts; what must outlive it goes to the rows it is given, and the time comes with each call.
 */
import { assert } from "./assert.ts";
import type { Failure } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { memberBytes, type Member, type MemberChange } from "./member.ts";

export interface ConnectionRow {
  readonly hub: string;
  readonly connection: string;
  /** The member's id. */
  readonly member: string;
}

export interface MemberRow extends Member {
  /** Its last connection is gone, and it goes then, milliseconds; null: it has one. */
  readonly leavesAt: number | null;
}

/** Where a roster keeps what it must still know after an eviction. */
export interface RosterRows {
  putConnection(row: ConnectionRow): void;
  removeConnection(hub: string, connection: string): void;
  putMember(row: MemberRow): void;
  removeMember(id: string): void;
  putVersion(version: number): void;
}

export interface KeptRoster {
  readonly version: number;
  readonly members: readonly MemberRow[];
  readonly connections: readonly ConnectionRow[];
}

export interface MemberReport extends Member {
  /** 0 while it may yet return. */
  readonly connections: number;
}

interface Present {
  data: string | null;
  connections: number;
  leavesAt: number | null;
}

export class Roster {
  readonly #rows: RosterRows;
  /** By id. */
  readonly #members = new Map<string, Present>();
  /** By hub: members' ids by connection. */
  readonly #hubs = new Map<string, Map<string, string>>();
  #version: number;
  #bytes = 0;

  constructor(rows: RosterRows, kept: KeptRoster) {
    this.#rows = rows;
    this.#version = kept.version;
    for (const { id, data, leavesAt } of kept.members) {
      this.#members.set(id, { data, connections: 0, leavesAt });
      this.#bytes += memberBytes({ id, data });
    }
    for (const { hub, connection, member } of kept.connections) {
      const present = this.#members.get(member);
      assert(present !== undefined, "a connection that is kept is a member's");
      present.connections += 1;
      this.#connectionsOf(hub).set(connection, member);
    }
  }

  /** Grows with each change. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Those who may yet return among them. */
  members(): MemberReport[] {
    return [...this.#members].map(([id, { data, connections }]) => ({ id, data, connections }));
  }

  find(id: string): MemberReport | null {
    const present = this.#members.get(id);
    return present === undefined ? null : { id, data: present.data, connections: present.connections };
  }

  hasConnections(hub: string): boolean {
    return (this.#hubs.get(hub)?.size ?? 0) > 0;
  }

  /** Null: there is room for it. */
  refuse(member: Member): Failure | null {
    const present = this.#members.get(member.id);
    if (present === undefined && this.#members.size >= LIMITS.PRESENCE_MEMBERS_MAX)
      return { code: "too_many_members", limit: LIMITS.PRESENCE_MEMBERS_MAX, actual: this.#members.size };
    const before = present === undefined ? 0 : memberBytes({ id: member.id, data: present.data });
    const bytes = this.#bytes - before + memberBytes(member);
    if (bytes <= LIMITS.PRESENCE_BYTES_MAX) return null;
    const detail = "The members of the channel show more than they may together, in bytes.";
    return { code: "too_many_members", detail, limit: LIMITS.PRESENCE_BYTES_MAX, actual: bytes };
  }

  /** A connection comes, or says anew what its member shows: who speaks last says it for all its connections. */
  enter(hub: string, connection: string, member: Member): MemberChange[] {
    const before = this.#hubs.get(hub)?.get(connection);
    const left = before === undefined || before === member.id ? [] : this.leave(hub, connection, null);
    const seats = this.#connectionsOf(hub); // Only now: who was the last to leave took the hub's own with it.
    const present = this.#members.get(member.id);
    const connections = (present?.connections ?? 0) + (seats.has(connection) ? 0 : 1);
    if (!seats.has(connection)) {
      seats.set(connection, member.id);
      this.#rows.putConnection({ hub, connection, member: member.id });
    }
    const isNews = present === undefined || present.data !== member.data;
    this.#put(member, connections, null);
    return isNews ? [...left, this.#change(present === undefined ? "added" : "updated", member)] : left;
  }

  /** `leavesAt`: until then its member may return, if this was its last connection; null: it goes at once. */
  leave(hub: string, connection: string, leavesAt: number | null): MemberChange[] {
    const seats = this.#hubs.get(hub);
    const id = seats?.get(connection);
    if (seats === undefined || id === undefined) return [];
    seats.delete(connection);
    if (seats.size === 0) this.#hubs.delete(hub);
    this.#rows.removeConnection(hub, connection);
    const { data, connections } = this.#members.get(id)!;
    if (connections === 1 && leavesAt === null) return [this.#remove(id)];
    this.#put({ id, data }, connections - 1, connections === 1 ? leavesAt : null);
    return [];
  }

  /** These are all connections that the hub has: what was lost on the way is made good. */
  report(hub: string, all: ReadonlyMap<string, Member>): MemberChange[] {
    const gone = [...(this.#hubs.get(hub)?.keys() ?? [])].filter((connection) => !all.has(connection));
    const left = gone.flatMap((connection) => this.leave(hub, connection, null));
    const come = [...all].filter(([connection, { id }]) => this.#hubs.get(hub)?.get(connection) !== id);
    return [...left, ...come.flatMap(([connection, member]) => this.#restore(hub, connection, member))];
  }

  /** The hub is not heard of any more. */
  lapse(hub: string): MemberChange[] {
    return [...(this.#hubs.get(hub)?.keys() ?? [])].flatMap((connection) => this.leave(hub, connection, null));
  }

  /** Those who did not return in time. */
  elapse(now: number): MemberChange[] {
    const late = [...this.#members].filter(([, { leavesAt }]) => leavesAt !== null && leavesAt <= now);
    return late.map(([id]) => this.#remove(id));
  }

  /** The channel's life is over. */
  clear(): MemberChange[] {
    for (const [hub, seats] of this.#hubs)
      for (const connection of seats.keys()) this.#rows.removeConnection(hub, connection);
    this.#hubs.clear();
    return [...this.#members.keys()].map((id) => this.#remove(id));
  }

  /** When the next one goes who does not return; null: nobody is about to. */
  get nextLeave(): number | null {
    const times = [...this.#members.values()].flatMap(({ leavesAt }) => (leavesAt === null ? [] : [leavesAt]));
    return times.length === 0 ? null : times.reduce((left, right) => Math.min(left, right));
  }

  /** What it shows may be old: it counts only where nobody has said anything since. */
  #restore(hub: string, connection: string, member: Member): MemberChange[] {
    const present = this.#members.get(member.id);
    if (present !== undefined) return this.enter(hub, connection, { id: member.id, data: present.data });
    return this.refuse(member) === null ? this.enter(hub, connection, member) : [];
  }

  #connectionsOf(hub: string): Map<string, string> {
    const known = this.#hubs.get(hub);
    if (known !== undefined) return known;
    const made = new Map<string, string>();
    this.#hubs.set(hub, made);
    return made;
  }

  #put({ id, data }: Member, connections: number, leavesAt: number | null): void {
    const before = this.#members.get(id);
    this.#bytes += memberBytes({ id, data }) - (before === undefined ? 0 : memberBytes({ id, data: before.data }));
    this.#members.set(id, { data, connections, leavesAt });
    if (before?.data !== data || before?.leavesAt !== leavesAt) this.#rows.putMember({ id, data, leavesAt });
  }

  #remove(id: string): MemberChange {
    const member = { id, data: this.#members.get(id)!.data };
    this.#members.delete(id);
    this.#bytes -= memberBytes(member);
    this.#rows.removeMember(id);
    return this.#change("removed", member);
  }

  #change(kind: MemberChange["kind"], member: Member): MemberChange {
    this.#version += 1;
    this.#rows.putVersion(this.#version);
    return { kind, member, version: this.#version };
  }
}
