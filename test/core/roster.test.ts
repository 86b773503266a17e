import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { MemberChange } from "../../src/core/member.ts";
import { Roster, type ConnectionRow, type KeptRoster, type MemberRow, type RosterRows } from "../../src/core/roster.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

/** Rows as the object's store keeps them. */
class FakeRows implements RosterRows {
  readonly members = new Map<string, MemberRow>();
  readonly connections = new Map<string, ConnectionRow>();
  version = 0;

  putConnection(row: ConnectionRow): void {
    this.connections.set(`${row.hub} ${row.connection}`, row);
  }

  removeConnection(hub: string, connection: string): void {
    this.connections.delete(`${hub} ${connection}`);
  }

  putMember(row: MemberRow): void {
    this.members.set(row.id, row);
  }

  removeMember(id: string): void {
    this.members.delete(id);
  }

  putVersion(version: number): void {
    this.version = version;
  }

  get kept(): KeptRoster {
    const [members, connections] = [[...this.members.values()], [...this.connections.values()]];
    return { version: this.version, members, connections };
  }
}

const makeRoster = (rows = new FakeRows()): Roster => new Roster(rows, rows.kept);
const ANA = { id: "ana", data: '{"n":1}' };
const kinds = (changes: readonly MemberChange[]): string[] => changes.map(({ kind, member }) => `${kind} ${member.id}`);

describe("a roster", () => {
  it("[PRE-2] has one member for two connections, in two hubs as well", () => {
    const roster = makeRoster();
    expect(kinds(roster.enter("h1", "c1", ANA))).toEqual(["added ana"]);
    expect(roster.enter("h2", "c2", ANA)).toEqual([]);
    expect(roster.enter("h2", "c2", ANA)).toEqual([]);
    expect(roster.find("ana")).toMatchObject({ connections: 2 });
    expect(roster.leave("h1", "c1", null)).toEqual([]);
    expect(roster.leave("h1", "c1", null)).toEqual([]);
    expect(kinds(roster.leave("h2", "c2", null))).toEqual(["removed ana"]);
  });

  it("[PRE-2] forgets whom a connection was when it comes as another, and that one when it leaves", () => {
    const roster = makeRoster();
    roster.enter("h", "c", ANA);
    expect(kinds(roster.enter("h", "c", { id: "bo", data: null }))).toEqual(["removed ana", "added bo"]);
    expect(roster.hasConnections("h")).toBe(true);
    expect(kinds(roster.leave("h", "c", null))).toEqual(["removed bo"]);
    expect(roster.members()).toEqual([]);
  });

  it("[PRE-3] waits for the return of whom it gave time, and no longer", () => {
    const roster = makeRoster();
    roster.enter("h", "c1", ANA);
    expect(roster.leave("h", "c1", 1_000)).toEqual([]);
    expect([roster.nextLeave, kinds(roster.elapse(999))]).toEqual([1_000, []]);
    expect(roster.enter("h", "c2", ANA)).toEqual([]);
    expect([roster.nextLeave, kinds(roster.elapse(5_000))]).toEqual([null, []]);
    roster.leave("h", "c2", 6_000);
    expect(kinds(roster.elapse(6_000))).toEqual(["removed ana"]);
  });

  it("[PRE-4] lets the last who speaks say what the member shows", () => {
    const roster = makeRoster();
    roster.enter("h", "c1", ANA);
    expect(kinds(roster.enter("h", "c2", { id: "ana", data: '{"n":2}' }))).toEqual(["updated ana"]);
    expect(roster.version).toBe(2);
  });

  it("[PRE-9] has room for so many members of so many bytes", () => {
    const roster = makeRoster();
    for (let index = 0; index < LIMITS.PRESENCE_MEMBERS_MAX; index += 1)
      roster.enter("h", `c${index}`, { id: `u${index}`, data: null });
    expect(roster.refuse({ id: "more", data: null })).toMatchObject({
      code: "too_many_members",
      limit: LIMITS.PRESENCE_MEMBERS_MAX,
    });
    expect(roster.refuse({ id: "u1", data: "1" })).toBeNull();
    const full = makeRoster();
    const large = `"${"x".repeat(LIMITS.USER_DATA_BYTES_MAX - 2)}"`;
    let count = 0;
    while (full.refuse({ id: `u${count}`, data: large }) === null)
      full.enter("h", `c${count}`, { id: `u${(count += 1) - 1}`, data: large });
    expect(count).toBeGreaterThan(LIMITS.PRESENCE_BYTES_MAX / LIMITS.USER_DATA_BYTES_MAX - 10);
    expect(full.refuse({ id: `u${count}`, data: large })).toMatchObject({ limit: LIMITS.PRESENCE_BYTES_MAX });
    full.lapse("h");
    expect(full.refuse({ id: "u", data: large })).toBeNull();
  });

  it(`[PRE-6] agrees with a plain count after any 4,000 steps, evicted or not (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const rows = new FakeRows();
    let roster = makeRoster(rows);
    const model = new Model();
    const present = new Set<string>();
    const told = (changes: readonly MemberChange[]): void => {
      for (const { kind, member } of changes) {
        expect(present.has(member.id)).toBe(kind !== "added");
        if (kind === "removed") present.delete(member.id);
        else present.add(member.id);
      }
    };
    const versions: number[] = [];
    for (let now = 0; now < 4_000; now += 1) {
      if (random() < 0.1) roster = makeRoster(rows);
      const changes = step(roster, model, now, random);
      told(changes);
      versions.push(...changes.map(({ version }) => version));
      expect([...present].toSorted()).toEqual(model.present(now));
      expect(
        roster
          .members()
          .map(({ id, connections }) => `${id} ${connections}`)
          .toSorted(),
      ).toEqual(model.counts(now));
    }
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(versions.length).toBeGreaterThan(500);
  });
});

/** Who is there, by the definition. */
class Model {
  /** By hub and connection. */
  readonly connections = new Map<string, { hub: string; connection: string; member: string }>();
  /** When each member's last connection went, and how long it may stay away. */
  readonly awayUntil = new Map<string, number>();

  enter(hub: string, connection: string, member: string): void {
    this.connections.set(`${hub} ${connection}`, { hub, connection, member });
    this.awayUntil.delete(member);
  }

  leave(hub: string, connection: string, until: number | null): void {
    const seat = this.connections.get(`${hub} ${connection}`);
    if (seat === undefined) return;
    this.connections.delete(`${hub} ${connection}`);
    const isLast = ![...this.connections.values()].some(({ member }) => member === seat.member);
    if (isLast && until !== null) this.awayUntil.set(seat.member, until);
  }

  of(hub: string): string[] {
    return [...this.connections.values()].filter((seat) => seat.hub === hub).map(({ connection }) => connection);
  }

  present(now: number): string[] {
    const away = [...this.awayUntil].filter(([, until]) => until > now).map(([member]) => member);
    return [...new Set([...this.connections.values()].map(({ member }) => member).concat(away))].toSorted();
  }

  counts(now: number): string[] {
    const count = (id: string) => [...this.connections.values()].filter(({ member }) => member === id).length;
    return this.present(now).map((id) => `${id} ${count(id)}`);
  }
}

/** A connection is always the same user's. */
function step(roster: Roster, model: Model, now: number, random: () => number): MemberChange[] {
  const elapsed = roster.elapse(now);
  const hub = pick(random, ["h1", "h2", "h3"]);
  const user = Math.floor(random() * 6);
  const connection = `${user}-${Math.floor(random() * 3)}`;
  const dice = random();
  if (dice < 0.45) {
    model.enter(hub, connection, `u${user}`);
    return [
      ...elapsed,
      ...roster.enter(hub, connection, { id: `u${user}`, data: random() < 0.2 ? String(now) : null }),
    ];
  }
  if (dice < 0.9) {
    const until = random() < 0.4 ? null : now + Math.ceil(random() * 20);
    model.leave(hub, connection, until);
    return [...elapsed, ...roster.leave(hub, connection, until)];
  }
  if (dice < 0.97) {
    const kept = model.of(hub).filter(() => random() < 0.7);
    for (const gone of model.of(hub).filter((id) => !kept.includes(id))) model.leave(hub, gone, null);
    const all = new Map(kept.map((id) => [id, { id: `u${id[0]}`, data: null }]));
    return [...elapsed, ...roster.report(hub, all)];
  }
  for (const id of model.of(hub)) model.leave(hub, id, null);
  return [...elapsed, ...roster.lapse(hub)];
}
