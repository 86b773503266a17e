import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memberOps, membersSeen } from "../builders/members-seen.ts";
import { connectObserver, connectUser, untilMembers } from "../builders/presence.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let channels = 0;
const nextChannel = (): string => `presence-room-${(channels += 1)}`;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const members = async (channel: string): Promise<Record<string, unknown>> =>
  (await hub.json("GET", `/v1/channels/${channel}/members`)).body;

describe("a member", () => {
  it("[PRE-1] is told who is here, others hear of it, and what its token says of it stands", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana", { data: { name: "Ana", n: 1 } });
    const entered = await ana.subscribe(channel, { presence: { data: { name: "Root", mood: 2.0 } } });
    expect(entered).toMatchObject({
      op: "subscribed",
      members: [{ id: "ana", data: { name: "Ana", n: 1, mood: 2 } }],
      version: 1,
    });
    const looking = await connectObserver(hub);
    const seen = await looking.subscribe(channel);
    expect(seen).toMatchObject({ members: [{ id: "ana" }], version: 1 });
    const ben = await connectUser(hub, "ben");
    await ben.subscribe(channel, { presence: {} });
    await Promise.all([ana, looking].map((socket) => untilMembers(socket, channel, ["ana", "ben"])));
    expect(memberOps(ana)).toEqual(["member_added ben"]);
    expect(memberOps(ben)).toEqual([]);
    expect(await members(channel)).toEqual({
      items: [
        { id: "ana", data: { name: "Ana", n: 1, mood: 2 }, connections: 1 },
        { id: "ben", data: null, connections: 1 },
      ],
      count: 2,
      version: 2,
      cursor: null,
    });
  });

  it("[PRE-2] is one, however many tabs it has, and leaves with the last of them", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const tabs = [await connectUser(hub, "ana"), await connectUser(hub, "ana")];
    for (const tab of tabs) await tab.subscribe(channel, { presence: {} });
    expect(await members(channel)).toMatchObject({ items: [{ id: "ana", connections: 2 }], count: 1 });
    await tabs[0]!.close();
    const one = { id: "ana", data: null, connections: 1 };
    await eventually(
      async () => (await hub.json("GET", `/v1/channels/${channel}/members/ana`)).body,
      (body) => JSON.stringify(body) === JSON.stringify(one),
      "one connection",
    );
    await tabs[1]!.ask({ op: "unsubscribe", topic: channel });
    await untilMembers(looking, channel, []);
    expect(memberOps(looking)).toEqual(["member_added ana", "member_removed ana"]);
    expect((await hub.json("GET", `/v1/channels/${channel}/members/ana`)).status).toBe(404);
  });

  it("[PRE-3] that comes back within its grace has never left", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const before = await connectUser(hub, "ana");
    await before.subscribe(channel, { presence: {} });
    await before.close(1000);
    const after = await connectUser(hub, "ana");
    await after.subscribe(channel, { presence: {} });
    const ben = await connectUser(hub, "ben");
    await ben.subscribe(channel, { presence: {} });
    await ben.close(1000);
    await untilMembers(looking, channel, ["ana"]);
    expect(memberOps(looking)).toEqual(["member_added ana", "member_added ben", "member_removed ben"]);
  });

  it("[PRE-4] says something else of itself, and nobody who is no member does", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana", { data: { name: "Ana" } });
    await ana.subscribe(channel, { presence: {} });
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const answer = await ana.ask({ op: "presence", topic: channel, data: { name: "x", busy: true } });
    expect(answer).toMatchObject({ op: "presence", topic: channel, version: 2 });
    await looking.message(({ op }) => op === "member_updated");
    expect(membersSeen(looking, channel).members.get("ana")).toEqual({ name: "Ana", busy: true });
    expect(await looking.ask({ op: "presence", topic: channel, data: 1 })).toMatchObject({
      op: "error",
      problem: { code: "presence_not_entered" },
    });
    // The same again is no news.
    expect(await ana.ask({ op: "presence", topic: channel, data: { busy: true } })).toMatchObject({ version: 2 });
  });
});
