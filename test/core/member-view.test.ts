import { describe, expect, it } from "vitest";
import type { Member, MemberChange } from "../../src/core/member.ts";
import { changesFor, type MemberView, type PresenceNews } from "../../src/core/member-view.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

const added = (id: string, version: number): MemberChange => ({ kind: "added", member: { id, data: null }, version });
const viewOf = (version: number, ...ids: string[]): MemberView => ({
  version,
  members: new Map(ids.map((id) => [id, null])),
});

describe("a view of the members", () => {
  it("[PRE-5] hears nothing twice, and asks for a snapshot where something is missing", () => {
    const news = { kind: "changes", after: 2, version: 4, changes: [added("c", 3), added("d", 4)] } as const;
    expect(changesFor(viewOf(2), news)).toEqual(news.changes);
    expect(changesFor(viewOf(3), news)).toEqual([added("d", 4)]);
    expect(changesFor(viewOf(4), news)).toEqual([]);
    expect(changesFor(viewOf(1), news)).toBeNull();
    expect(changesFor(null, news)).toBeNull();
  });

  it("[PRE-5] is brought up by a snapshot in changes of its own, removals first, versions growing", () => {
    const members = [
      { id: "a", data: "1" },
      { id: "c", data: null },
    ];
    const changes = changesFor(viewOf(3, "a", "b"), { kind: "snapshot", version: 9, members });
    expect(changes).toEqual([
      { kind: "removed", member: { id: "b", data: null }, version: 7 },
      { kind: "updated", member: { id: "a", data: "1" }, version: 8 },
      { kind: "added", member: { id: "c", data: null }, version: 9 },
    ]);
    expect(changesFor(viewOf(9, "a"), { kind: "snapshot", version: 9, members })).toEqual([]);
  });

  it(`[PRE-5] equals the room's at the end, whatever is lost, late or doubled (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const room = new Map<string, string | null>();
    const history: MemberChange[] = [];
    const view = { version: 0, members: new Map<string, string | null>() };
    const late: PresenceNews[] = [];
    for (let turn = 0; turn < 3_000; turn += 1) {
      change(room, history, random);
      const dice = random();
      const news = newsAfter(
        history,
        room,
        dice < 0.2 ? view.version : Math.floor(random() * history.length),
        random() < 0.3,
      );
      if (dice < 0.5) late.push(news);
      take(view, dice < 0.8 ? news : pick(random, [news, ...late]));
    }
    take(view, newsAfter(history, room, 0, true));
    expect([view.version, view.members]).toEqual([history.length, room]);
  });
});

function change(room: Map<string, string | null>, history: MemberChange[], random: () => number): void {
  const id = pick(random, ["a", "b", "c", "d", "e"]);
  const version = history.length + 1;
  if (room.has(id) && random() < 0.5) {
    history.push({ kind: "removed", member: { id, data: room.get(id)! }, version });
    room.delete(id);
    return;
  }
  const data = String(version);
  history.push({ kind: room.has(id) ? "updated" : "added", member: { id, data }, version });
  room.set(id, data);
}

function newsAfter(
  history: readonly MemberChange[],
  room: ReadonlyMap<string, string | null>,
  after: number,
  whole: boolean,
): PresenceNews {
  const members: Member[] = [...room].map(([id, data]) => ({ id, data }));
  const version = history.length;
  return whole
    ? { kind: "snapshot", version, members }
    : { kind: "changes", after, version, changes: history.slice(after) };
}

/** As a hub does, and as strict about what its clients hear. */
function take(view: { version: number; members: Map<string, string | null> }, news: PresenceNews): void {
  for (const { kind, member, version } of changesFor(view, news) ?? []) {
    expect(version).toBeGreaterThan(view.version);
    expect(view.members.has(member.id)).toBe(kind !== "added");
    if (kind === "removed") view.members.delete(member.id);
    else view.members.set(member.id, member.data);
    view.version = version;
  }
  if (changesFor(view, news) !== null) view.version = Math.max(view.version, news.version);
}
