import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { silencePlan } from "../../src/core/silence.ts";
import { ChannelHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
import { DIALECTS } from "../../src/durable-objects/channel-hub/dialects.ts";
import { HubAlarm } from "../../src/durable-objects/channel-hub/hub-alarm.ts";
import { HubState } from "../../src/durable-objects/channel-hub/hub-state.ts";
import { Presence } from "../../src/durable-objects/channel-hub/presence.ts";
import { PresenceRoom } from "../../src/durable-objects/presence-room/presence-room.ts";
import { ANSWER_MS_MAX } from "../../src/durable-objects/presence-room/watchers.ts";
import type { Env } from "../../src/env.ts";
import { memberOps } from "../builders/members-seen.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { CHANNEL, PresenceWorld, seenBy } from "../builders/presence-world.ts";

let world: PresenceWorld;
let epoch: number;
const plan = silencePlan(LIMITS.PRESENCE_SILENCE_MS);

beforeAll(migrateDatabase);
beforeEach(async () => {
  world = new PresenceWorld();
  epoch = await world.makeChannel();
});
afterEach(() => {
  world.close();
  vi.useRealTimers();
});

describe("a hub with members", () => {
  it("[PRE-6] that is evicted keeps them, and so does an evicted room", async () => {
    const [ana, looking] = [await world.enter("ana"), await world.watch(1)];
    await world.evictHub(0);
    await world.evictHub(1);
    await world.evictRoom();
    const ben = await world.enter("ben", 1);
    await looking.until(() => seenBy(looking).join() === "ana,ben", "both");
    await ana.until(() => seenBy(ana).join() === "ana,ben", "both");
    expect(memberOps(looking)).toEqual(["member_added ben"]);
    await world.evictHub(0);
    ana.close();
    await ben.until(() => seenBy(ben).join() === "ben", "the leave of a socket that woke its hub");
    expect(await world.members(epoch)).toEqual(["ben 1"]);
  });

  it("[PRE-7] looks once a minute, wakes for nothing else, and finds who is silent within 75 s", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const began = Date.now();
    const at = (ms: number): void => void vi.setSystemTime(began + ms);
    const [silent, quiet] = [await world.enter("silent"), await world.enter("quiet")];
    const asks = (client: typeof silent) => client.messages.filter(({ op }) => op === "ping").length;
    const expectAlarm = async (ms: number) =>
      expect(Math.abs((await world.nextWake())! - began - ms)).toBeLessThan(1_000);
    await expectAlarm(plan.lookMs);

    at(57_000); // Both say something: nobody is quiet when the hub looks.
    for (const client of [silent, quiet]) await client.ask({ op: "unsubscribe", topic: "nothing" });
    await world.evictHub();
    at(60_500);
    await world.runHubAlarm();
    expect([asks(silent), asks(quiet)]).toEqual([0, 0]);
    await expectAlarm(60_500 + plan.lookMs);

    await world.evictHub();
    at(121_000);
    await world.runHubAlarm();
    await Promise.all([silent, quiet].map((client) => client.until(() => asks(client) === 1, "a question")));
    await expectAlarm(121_000 + plan.answerMs);
    await quiet.ask({ op: "unsubscribe", topic: "nothing" });
    at(121_000 + plan.answerMs + 500); // 72 s after the last sign.
    await world.runHubAlarm();
    expect((await silent.closed).code).toBe(4_410);
    await quiet.until(() => seenBy(quiet).join() === "quiet", "only who answers");
    await expectAlarm(121_000 + plan.lookMs);
  });

  it("[PRE-7] does not look any more when its members are gone", async () => {
    const ana = await world.enter("ana");
    const looking = await world.watch();
    await ana.ask({ op: "unsubscribe", topic: "presence-hall" });
    await looking.until(() => seenBy(looking).length === 0, "nobody");
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + plan.lookMs + 1_000);
    expect((await world.nextWake()) ?? Infinity).toBeGreaterThan(Date.now() + plan.lookMs + 1_000);
  });
});

describe("a seat whose connection is gone", () => {
  it("[PRE-6] is left when the hub looks, whatever let it stay", async () => {
    const [, looking] = [await world.enter("ana"), await world.watch(1)];
    await looking.until(() => seenBy(looking).join() === "ana", "ana");
    await runInDurableObject(world.hub(), (_hub, ctx) => {
      const hub = new HubState(ctx, env, DIALECTS.native);
      const presence = new Presence(hub, new HubAlarm(hub), world.app);
      hub.connections.clear();
      presence.wentOff(Date.now() + plan.lookMs + 1_000);
    });
    await looking.until(() => seenBy(looking).length === 0, "no ghost");
  });
});

describe("a client that hangs up while its subscribe is under way", () => {
  it("[PRE-6] becomes no member", async () => {
    const ana = await world.enter("ana");
    await ana.ask({ op: "unsubscribe", topic: CHANNEL });
    await expect.poll(() => world.members(epoch)).toEqual([]);
    const entering = JSON.stringify({ op: "subscribe", topic: CHANNEL, presence: {} });
    await runInDurableObject(world.hub(), async (hub: ChannelHub, ctx) => {
      const [socket] = ctx.getWebSockets();
      const subscribed = hub.webSocketMessage(socket!, entering);
      for (let turns = 0; turns < 10; turns += 1) await Promise.resolve(); // Its log is asked by then.
      await hub.webSocketClose(socket!, 1_000, "");
      await subscribed;
    });
    expect(await world.members(epoch)).toEqual([]);
  });
});

describe("a hub that crashed", () => {
  it("[PRE-12] tells who is gone when the room asks, and it asks when somebody comes elsewhere", async () => {
    await world.enter("ana");
    await world.evictRoom();
    await world.crashHub();
    await world.enter("ana", 1); // No news to anybody, but to the room.
    await expect.poll(() => world.connections(), { timeout: 10_000 }).toBe(1);
    expect(await world.members(epoch)).toEqual(["ana 1"]);
  });

  it("[PRE-12] tells who is gone before a server is answered", async () => {
    await world.enter("ana");
    await world.evictRoom();
    await world.crashHub();
    expect(await world.members(epoch)).toEqual(["ana 0"]); // It may yet return.
    await expect.poll(() => world.members(epoch), { timeout: 10_000 }).toEqual([]);
  });
});

describe("a room that cannot be reached", () => {
  it("[PRE-6] is told of a leave later, whatever the hub is pushed meanwhile", async () => {
    const [, looking] = [await world.enter("ana"), await world.watch(1)];
    await looking.until(() => seenBy(looking).join() === "ana", "ana");
    const answer = await runInDurableObject(world.hub(), async (_hub, ctx) => {
      const unreachable = { report: () => Promise.reject(new Error("planned")) };
      const rooms = { getByName: () => unreachable } as unknown as Env["PRESENCE_ROOM"];
      const hub = new ChannelHub(ctx, { ...env, PRESENCE_ROOM: rooms });
      await hub.webSocketClose(ctx.getWebSockets()[0]!, 4_401, "");
      const push = {
        topic: "presence-hall",
        partition: 0,
        epoch,
        after: 0,
        through: 0,
        head: 0,
        offsets: [],
        body: "",
      };
      return hub.accept(push);
    });
    expect(answer).toMatchObject({ kind: "accepted" });
    await world.evictHub();
    await world.runHubAlarm();
    await looking.until(() => seenBy(looking).length === 0, "the leave");
  });
});

describe("a hub that does not answer", () => {
  it("[PRE-9] is not waited for without an end by whoever asks who is here", async () => {
    await world.enter("ana");
    const answers = await runInDurableObject(world.room, async (_room, ctx) => {
      const silent = { acceptMembers: () => new Promise(() => undefined) };
      const hubs = { getByName: () => silent } as unknown as Env["CHANNEL_HUB"];
      const room = new PresenceRoom(ctx, { ...env, CHANNEL_HUB: hubs });
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const asked = Promise.all([room.members(epoch, "", 10), room.member(epoch, "ana")]);
      await vi.advanceTimersByTimeAsync(ANSWER_MS_MAX);
      return asked;
    });
    expect(answers).toMatchObject([{ value: { count: 1 } }, { value: { id: "ana" } }]);
  });
});

describe("a room", () => {
  const ghost = { hub: '["hub","nobody","native","any",7]', known: null, left: [], all: null } as const;

  it("[PRE-6] drops members of a hub that it does not hear of, when that does not answer, and no others", async () => {
    const ana = await world.enter("ana");
    const member = { id: "ghost", data: null };
    await world.room.report({ ...ghost, epoch, seq: 1, entered: [{ connection: "c", member }] });
    await ana.until(() => seenBy(ana).join() === "ana,ghost", "the ghost");
    await world.runRoomAlarm();
    expect(await world.members(epoch)).toEqual(["ana 1", "ghost 1"]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + plan.leaseMs + 1_000);
    await world.runRoomAlarm();
    await ana.until(() => seenBy(ana).join() === "ana", "no ghost");
    expect(await world.members(epoch)).toEqual(["ana 1"]);
  });

  it("[PRE-5] takes each report of a hub once, in order, and none of a life that is over", async () => {
    const enter = (seq: number, id: string) =>
      world.room.report({ ...ghost, epoch, seq, entered: [{ connection: id, member: { id, data: null } }] });
    expect(await enter(5, "a")).toMatchObject({ kind: "accepted", news: { kind: "snapshot", version: 1 } });
    expect(await enter(5, "b")).toEqual({ kind: "late", seq: 5 });
    expect(await enter(4, "b")).toEqual({ kind: "late", seq: 5 });
    expect(await world.room.report({ ...ghost, epoch: epoch - 1, seq: 9, entered: [] })).toEqual({ kind: "over" });
    await world.room.end(epoch);
    expect(await enter(6, "b")).toEqual({ kind: "over" });
    expect(await world.room.members(epoch, "", 1)).toMatchObject({ failure: { code: "topic_not_found" } });
    expect(await world.room.member(epoch, "a")).toMatchObject({ failure: { code: "topic_not_found" } });
    const next = await world.room.report({ ...ghost, epoch: epoch + 1, seq: 1, entered: [] });
    expect(next).toMatchObject({ kind: "accepted", news: { members: [], version: 2 } });
  });

  it("[PRE-5] brings a hub level that missed pushes or gets them late and twice", async () => {
    const looking = await world.watch();
    const push = (after: number, version: number, ids: readonly string[]) => {
      const changes = ids.map((id, index) => ({
        kind: "added" as const,
        member: { id, data: null },
        version: after + index + 1,
      }));
      return world
        .hub()
        .acceptMembers({ topic: "presence-hall", epoch, news: { kind: "changes", after, version, changes } });
    };
    await world.enter("ana", 1);
    await looking.until(() => seenBy(looking).join() === "ana", "ana");
    expect(await push(0, 1, ["ana"])).toEqual({ kind: "accepted", version: 1 });
    expect(await push(4, 5, ["later"])).toEqual({ kind: "accepted", version: 1 });
    expect(
      await world.hub().acceptMembers({
        topic: "presence-hall",
        epoch: epoch - 1,
        news: { kind: "snapshot", version: 9, members: [] },
      }),
    ).toEqual({ kind: "gone" });
    await world.enter("ben", 1);
    await looking.until(() => seenBy(looking).join() === "ana,ben", "ben");
    expect(memberOps(looking)).toEqual(["member_added ana", "member_added ben"]);
  });
});
