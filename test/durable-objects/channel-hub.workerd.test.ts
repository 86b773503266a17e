import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { joinLines, type EventDraft } from "../../src/core/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { makeDraft, makeDrafts } from "../builders/log.ts";
import { migrateDatabase } from "../builders/objects.ts";
import { HubWorld } from "../builders/hub-world.ts";

let world: HubWorld;

beforeAll(migrateDatabase);
beforeEach(() => {
  world = new HubWorld();
});
afterEach(() => world.close());

const keyed = (first: number): EventDraft[] =>
  Array.from({ length: 60 }, (_, index) => makeDraft({ key: `k${index % 13}`, data: `,"data":${first + index}` }));

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

describe("a hub that is evicted", () => {
  it("[WS-1] between subscribe, publish and publish still delivers everything, in order", async () => {
    const client = await world.connect();
    await world.evict();
    await client.subscribe("orders");
    await world.evict();
    await world.publish("orders", makeDrafts(2));
    await client.until(() => client.offsets().length === 2, "two events");
    await world.evict();
    await world.publish("orders", makeDrafts(1));
    await client.until(() => client.offsets().length === 3, "the third event");
    await world.evict();
    client.acknowledge();
    await world.evict();
    await world.publish("orders", makeDrafts(1));
    await client.until(() => client.offsets().length === 4, "the fourth event");
    expect(client.offsets()).toEqual([1, 2, 3, 4]);
    const ops = client.messages.map(({ op }) => op);
    expect(ops).toEqual(["welcome", "subscribed", "caught_up", "event", "event", "event", "event"]);
  });

  it("[WS-1] keeps each follower's filter", async () => {
    const [all, some] = [await world.connect(), await world.connect()];
    await all.subscribe("orders");
    await some.subscribe("orders", { filter: { type: ["wanted"], key: ["k"] } });
    await world.evict();
    await world.publish("orders", [
      makeDraft({ type: "wanted", key: "k" }),
      makeDraft({ type: "wanted" }),
      makeDraft({ type: "other", key: "k" }),
      makeDraft({ type: "wanted", key: "k" }),
    ]);
    await all.until(() => all.offsets().length === 4, "all events");
    await some.until(() => some.offsets().length === 2, "the wanted events");
    expect(some.offsets()).toEqual([1, 4]);
  });

  it("[WS-1] goes on in the middle of a backlog", async () => {
    await world.makeTopic("orders");
    for (let round = 0; round < 4; round += 1) await world.publish("orders", makeDrafts(500));
    const client = await world.connect();
    await client.subscribe("orders", { from: "earliest" });
    await client.until(() => client.offsets().length >= 500, "the first page");
    await world.evict();
    await world.publish("orders", makeDrafts(1));
    await client.caughtUp();
    await client.until(() => client.offsets().length >= 2_001, "everything");
    expect(client.offsets()).toEqual(upTo(2_001));
  });
});

describe("pushes", () => {
  it("[WS-2] that were lost are noticed by the next one, and read from the log", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    await world.publish("orders", makeDrafts(2));
    await client.until(() => client.offsets().length === 2, "two events");
    await world.losePushes("orders");
    await world.publish("orders", makeDrafts(3, 3));
    const { epoch } = (await world.publish("orders", makeDrafts(1, 6)))[0]!;
    const body = `{"type":"test.done","topic":"orders","partition":0,"offset":6,"data":6}`;
    const push = { topic: "orders", partition: 0, epoch, after: 5, through: 6, head: 6, offsets: [6], body };
    expect(await world.push(push)).toEqual({ kind: "accepted", through: 6 });
    await client.until(() => client.offsets().length === 6, "the events of the hole");
    expect(client.offsets()).toEqual(upTo(6));
    expect(client.events().map(({ event }) => event!.data)).toEqual(upTo(6));
  });

  it("[WS-2] that leave a hole longer than a page are followed by the rest at once", async () => {
    const topic = await world.makeTopic("orders");
    const client = await world.connect();
    await client.subscribe("orders");
    await world.losePushes("orders");
    for (let round = 0; round < 5; round += 1) await world.publish("orders", makeDrafts(500));
    await world.restorePushes(topic);
    await world.publish("orders");
    await client.until(() => client.offsets().length === 2_501, "the hole and the rest", 3_000);
    expect(client.offsets()).toEqual(upTo(2_501));
  });

  it("[WS-2] that leave a hole which retention has taken are announced as a gap", async () => {
    await world.makeTopic("orders", { retention: { maxEvents: 3 } });
    const client = await world.connect();
    await client.subscribe("orders");
    await world.publish("orders", makeDrafts(1));
    await client.until(() => client.offsets().length === 1, "the first event");
    await world.losePushes("orders");
    const { epoch } = (await world.publish("orders", makeDrafts(9)))[0]!;
    await world.settle("orders");
    const push = { topic: "orders", partition: 0, epoch, after: 10, through: 10, head: 10, offsets: [], body: "" };
    await world.push(push);
    await client.until(() => client.offsets().length === 4, "what is still held");
    expect(client.messages.slice(4).map(({ op }) => op)).toEqual(["gap", "event", "event", "event"]);
    expect(client.messages[4]).toMatchObject({ partition: 0, requested: 2, firstHeld: 8, reason: "trimmed" });
    expect(client.offsets()).toEqual([1, 8, 9, 10]);
  });

  it("[WS-3] that come twice, or begin before what was delivered, send nothing twice", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    const { epoch } = (await world.publish("orders", makeDrafts(1)))[0]!;
    await client.until(() => client.offsets().length === 1, "the first event");
    await world.losePushes("orders");
    await world.publish("orders", makeDrafts(2));
    const body = joinLines([1, 2, 3].map((offset) => `{"topic":"orders","partition":0,"offset":${offset}}`));
    const push = { topic: "orders", partition: 0, epoch, after: 0, through: 3, head: 3, offsets: [1, 2, 3], body };
    expect(await world.push(push)).toEqual({ kind: "accepted", through: 3 });
    expect(await world.push(push)).toEqual({ kind: "accepted", through: 3 });
    await client.until(() => client.offsets().length >= 3, "three events");
    await client.ask({ op: "unsubscribe", topic: "orders" });
    expect(client.offsets()).toEqual([1, 2, 3]);
  });

  it("[WS-3] for a topic that nobody follows any more are answered with gone", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    const { epoch } = (await world.publish("orders"))[0]!;
    await client.ask({ op: "unsubscribe", topic: "orders" });
    const push = { topic: "orders", partition: 0, epoch, after: 1, through: 2, head: 2, offsets: [], body: "" };
    expect(await world.push(push)).toEqual({ kind: "gone" });
    expect(await world.push({ ...push, topic: "never" })).toEqual({ kind: "gone" });
    expect(await world.rows("SELECT * FROM topics")).toEqual([]);
    expect(await world.rows("SELECT * FROM positions")).toEqual([]);
  });
});

describe("subscribe", () => {
  it("[WS-4] begins at the earliest, an offset, a time, behind a cursor or, by itself, at the latest", async () => {
    await world.publish("orders", makeDrafts(5));
    const middle = new Date(Date.now() + 1).toISOString();
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(middle)));
    await world.publish("orders", makeDrafts(5, 6));
    const seen = async (from?: string): Promise<{ offsets: number[]; cursors: string[] }> => {
      const client = await world.connect();
      await client.subscribe("orders", from === undefined ? {} : { from });
      await client.caughtUp();
      return { offsets: client.offsets(), cursors: client.events().map(({ cursor }) => cursor!) };
    };
    const all = await seen("earliest");
    expect(all.offsets).toEqual(upTo(10));
    expect((await seen("offset:8")).offsets).toEqual([8, 9, 10]);
    expect((await seen(`time:${middle}`)).offsets).toEqual(upTo(5, 6));
    expect((await seen(`cursor:${all.cursors[2]}`)).offsets).toEqual(upTo(7, 4));
    expect((await seen(`cursor:${all.cursors[9]}`)).offsets).toEqual([]);
    expect((await seen("latest")).offsets).toEqual([]);
    expect((await seen()).offsets).toEqual([]);
  });

  it("[WS-4] again on the same topic begins anew", async () => {
    const client = await world.connect();
    await world.publish("orders", makeDrafts(3));
    await client.subscribe("orders", { from: "earliest" });
    await client.caughtUp();
    await client.subscribe("orders", { from: "offset:3" });
    await client.caughtUp(2);
    await world.publish("orders");
    await client.until(() => client.offsets().length === 5, "a live event");
    expect(client.offsets()).toEqual([1, 2, 3, 3, 4]);
    expect(await world.follows()).toHaveLength(1);
  });

  it("[WS-5] says what is missing: trimmed, ahead, or of another life", async () => {
    await world.makeTopic("orders", { retention: { maxEvents: 2 } });
    await world.publish("orders", makeDrafts(6));
    await world.settle("orders");
    const client = await world.connect();
    await client.subscribe("orders", { from: "offset:2" });
    await client.caughtUp();
    const ops = client.messages.map(({ op }) => op);
    expect(ops).toEqual(["welcome", "subscribed", "gap", "event", "event", "caught_up"]);
    expect(client.messages[2]).toMatchObject({ partition: 0, requested: 2, firstHeld: 5, reason: "trimmed" });
    await client.subscribe("orders", { from: "offset:9" });
    const ahead = await client.message(({ op, reason }) => op === "gap" && reason === "ahead", "a gap");
    expect(ahead).toMatchObject({ requested: 9 });
  });

  it("[WS-6] over several partitions sees each event once, each partition in order, and resumes", async () => {
    await world.makeTopic("orders", { partitions: 4 });
    await world.publish("orders", keyed(0));
    const first = await world.connect();
    await first.subscribe("orders", { from: "earliest" });
    await first.caughtUp();
    await world.publish("orders", keyed(60));
    await first.until(() => first.events().length >= 120, "the live events");
    expectEachOnce(
      first.events().map(({ event }) => event!),
      120,
    );

    const resumed = await world.connect();
    await resumed.subscribe("orders", { from: `cursor:${first.events()[49]!.cursor}` });
    await resumed.caughtUp();
    const together = [...first.events().slice(0, 50), ...resumed.events()].map(({ event }) => event!);
    expectEachOnce(together, 120);
  });

  it("[WS-6] with several partitions and an offset is refused, because an offset belongs to one", async () => {
    await world.makeTopic("orders", { partitions: 2 });
    const client = await world.connect();
    expect(await client.ask({ op: "subscribe", topic: "orders", from: "offset:1" })).toMatchObject({
      op: "error",
      problem: { code: "partition_required" },
    });
  });

  it("[WS-7] filters by type and key, in the backlog and live, by content too", async () => {
    const drafts = [
      makeDraft({ type: "a", key: "x", data: ',"data":{"n":1}' }),
      makeDraft({ type: "b", key: "x", data: ',"data":{"n":2}' }),
      makeDraft({ type: "a", key: "y", data: ',"data":{"n":2}' }),
      makeDraft({ type: "a", data: ',"data":{"n":2}' }),
    ];
    await world.publish("orders", drafts);
    const filters = [{ type: ["a"] }, { key: ["x", "y"] }, { type: ["a"], data: { n: [2] } }, { type: ["nothing"] }];
    const clients = await Promise.all(
      filters.map(async (filter) => {
        const client = await world.connect();
        await client.subscribe("orders", { from: "earliest", filter });
        await client.caughtUp();
        return client;
      }),
    );
    await world.publish("orders", drafts);
    const control = await world.connect();
    await control.subscribe("orders", { from: "earliest" });
    await control.until(() => control.offsets().length === 8, "all eight");
    const expected = [[1, 3, 4, 5, 7, 8], [1, 2, 3, 5, 6, 7], [3, 4, 7, 8], []];
    for (const [index, client] of clients.entries()) {
      await client.until(() => client.offsets().length >= expected[index]!.length, "what the filter lets through");
      expect(client.offsets()).toEqual(expected[index]);
    }
  });

  it("[WS-8] follows as many topics as a connection may, and no more", async () => {
    const client = await world.connect();
    for (let index = 0; index < LIMITS.CHANNELS_PER_SOCKET_MAX; index += 1) await client.subscribe(`t${index}`);
    expect(await client.ask({ op: "subscribe", topic: "one-more" })).toMatchObject({
      op: "error",
      problem: { code: "too_many_channels", limit: LIMITS.CHANNELS_PER_SOCKET_MAX },
    });
    await client.subscribe("t7");
    await client.ask({ op: "unsubscribe", topic: "t3" });
    await client.subscribe("one-more");
  });
});

describe("the end of a follow", () => {
  it("[WS-9] by unsubscribe ends the events of that topic and of no other", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    await client.subscribe("stock");
    const answer = await client.ask({ op: "unsubscribe", topic: "orders" });
    expect(answer).toMatchObject({ op: "unsubscribed", topic: "orders" });
    await world.publish("orders");
    await world.publish("stock");
    await client.until(() => client.offsets("stock").length === 1, "the other topic's event");
    expect(client.offsets("orders")).toEqual([]);
    expect(await world.follows()).toMatchObject([{ topic: "stock" }]);
    expect(await client.ask({ op: "unsubscribe", topic: "never" })).toMatchObject({ op: "unsubscribed" });
  });

  it("[WS-10] by a socket that dies leaves no row behind", async () => {
    const [staying, leaving] = [await world.connect(), await world.connect()];
    await staying.subscribe("orders");
    await leaving.subscribe("orders");
    await leaving.subscribe("stock");
    leaving.close();
    await leaving.closed;
    await vi.waitFor(async () => expect(await world.follows()).toHaveLength(1));
    await world.evict();
    await world.publish("orders");
    await staying.until(() => staying.offsets().length === 1, "an event");
  });

  it("[WS-10] by a crash that no close handler saw leaves no row after the next wake", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    await world.rows("INSERT INTO follows (connection, topic) VALUES ('ghost', 'orders') RETURNING topic");
    await world.evict();
    expect(await world.follows()).toHaveLength(1);
  });

  it("[WS-11] by the topic's deletion is said, and a new topic of that name is another one", async () => {
    const client = await world.connect();
    await client.subscribe("orders");
    await world.publish("orders", makeDrafts(3));
    await client.until(() => client.offsets().length === 3, "three events");
    const { cursor } = client.events().at(-1)!;
    await world.deleteTopic("orders");
    expect(await client.message(({ op }) => op === "unsubscribed", "unsubscribed")).toMatchObject({ topic: "orders" });
    expect(client.messages.find(({ op }) => op === "error")).toMatchObject({ problem: { code: "topic_not_found" } });
    expect(await world.follows()).toEqual([]);

    await world.publish("orders", makeDrafts(1, 100));
    const again = await world.connect();
    await again.subscribe("orders", { from: `cursor:${cursor}` });
    await again.caughtUp();
    expect(again.messages.map(({ op }) => op)).toEqual(["welcome", "subscribed", "gap", "event", "caught_up"]);
    expect(again.messages[2]).toMatchObject({ reason: "epoch", firstHeld: 1 });
    expect(again.events().map(({ event }) => event!.data)).toEqual([100]);
    expect(client.offsets()).toEqual([1, 2, 3]);
  });
});

interface Placed {
  readonly data?: unknown;
  readonly partition: number;
  readonly offset: number;
}

function expectEachOnce(events: readonly Placed[], count: number): void {
  const data = events.map((event) => event.data as number);
  expect(data.toSorted((left, right) => left - right)).toEqual(upTo(count, 0));
  const byPartition = Map.groupBy(events, ({ partition }) => partition);
  expect(byPartition.size).toBeGreaterThan(1);
  for (const inOne of byPartition.values()) expect(inOne.map(({ offset }) => offset)).toEqual(upTo(inOne.length));
}
