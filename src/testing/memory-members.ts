/** The members of one presence channel in memory: one a user, however many connections it has. */
import type { Member } from "../client/messages.ts";

export interface MemberStep {
  readonly op: "member_added" | "member_updated" | "member_removed";
  readonly member: Member;
  readonly version: number;
}

export class MemoryMembers {
  version = 0;
  readonly #byId = new Map<string, { data: unknown; readonly connections: Set<object> }>();

  get list(): Member[] {
    return [...this.#byId].map(([id, { data }]) => ({ id, data }));
  }

  has(connection: object): boolean {
    return [...this.#byId.values()].some(({ connections }) => connections.has(connection));
  }

  /** Null: nothing has changed for the others. */
  enter(id: string, data: unknown, connection: object): MemberStep | null {
    const known = this.#byId.get(id);
    if (known === undefined) {
      this.#byId.set(id, { data, connections: new Set([connection]) });
      return this.#step("member_added", { id, data });
    }
    known.connections.add(connection);
    if (JSON.stringify(known.data) === JSON.stringify(data)) return null;
    known.data = data;
    return this.#step("member_updated", { id, data });
  }

  leave(connection: object): MemberStep | null {
    for (const [id, { data, connections }] of this.#byId) {
      if (!connections.delete(connection) || connections.size > 0) continue;
      this.#byId.delete(id);
      return this.#step("member_removed", { id, data });
    }
    return null;
  }

  #step(op: MemberStep["op"], member: Member): MemberStep {
    this.version += 1;
    return { op, member, version: this.version };
  }
}
