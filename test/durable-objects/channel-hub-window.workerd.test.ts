import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCursor } from "../../src/core/cursor.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { makeDraft, makeDrafts } from "../builders/log.ts";
import { migrateDatabase } from "../builders/objects.ts";
import type { HubClient } from "../builders/hub-client.ts";
import { HubWorld } from "../builders/hub-world.ts";
import { seededRandom } from "../harness/random.ts";

let world: HubWorld;

beforeAll(migrateDatabase);
beforeEach(() => {
  world = new HubWorld();
});
afterEach(() => {
  vi.useRealTimers();
  world.close();
});

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

const sized = (bytes: number): string => `,"data":"${"x".repeat(bytes)}"`;

/** Pushes events to the hub one by one, so that each makes a frame of its own. */
async function pushOneByOne(topic: string, epoch: number, first: number, last: number): Promise<void> {
  for (let offset = first; offset <= last; offset += 1) {
    const body = `{"topic":"${topic}","partition":0,"offset":${offset}}`;
    await world.push({
      topic,
      partition: 0,
      epoch,
      after: offset - 1,
      through: offset,
      head: last,
      offsets: [offset],
      body,
    });
  }
}

/** A reader that acknowledges nothing, with its window full. */
async function stall(): Promise<HubClient> {
  const client = await world.connect(0);
  await client.subscribe("orders", { from: "earliest" });
  const large = Array.from({ length: 4 }, () => makeDraft({ data: sized(240_000) }));
  await world.publish("orders", large);
  await world.publish("orders", large);
  await world.publish("orders", makeDrafts(3));
  await client.until(() => client.offsets().length >= 5, "what the window takes");
  return client;
}

describe("the window", () => {
  it("[WS-12] stops a reader that acknowledges nothing at so many frames, and goes on when it does", async () => {
    const client = await world.connect(0);
    const behind = 200;
    const count = LIMITS.ACK_WINDOW_FRAMES + behind;
    await client.subscribe("orders");
    await world.losePushes("orders");
    const { epoch } = (await world.publish("orders", makeDrafts(400)))[0]!;
    await world.publish("orders", makeDrafts(400));
    await world.publish("orders", makeDrafts(400));
    await pushOneByOne("orders", epoch, 1, count);
    await client.ask({ op: "unsubscribe", topic: "other" });
    expect(client.offsets()).toEqual(upTo(LIMITS.ACK_WINDOW_FRAMES));
    client.acknowledge(1);
    await client.caughtUp(2);
    expect(client.offsets()).toEqual(upTo(count));
  });

  it("[WS-12] stops it at so many bytes, whether the events are live or a backlog", async () => {
    const client = await stall();
    expect(client.offsets().length).toBeLessThan(11);
    const late = await world.connect(0);
    await late.subscribe("orders", { from: "earliest" });
    await late.until(() => late.offsets().length >= 4, "what the window takes");
    await late.ask({ op: "unsubscribe", topic: "other" });
    expect(late.offsets().length).toBeLessThan(8);
    for (const reader of [client, late]) {
      reader.acknowledge(1);
      await reader.caughtUp(reader === client ? 2 : 1);
      expect(reader.offsets()).toEqual(upTo(11));
    }
  });

  it("[WS-12] stops it in the middle of a push, behind by exactly what did not fit", async () => {
    const client = await stall();
    await client.ask({ op: "unsubscribe", topic: "other" });
    // Four large events leave room for one frame more; the push of the other four is cut after it.
    expect(client.offsets()).toEqual(upTo(5));
    expect((await world.follows()).map(({ behind }) => behind)).toEqual(["[5]"]);
    client.acknowledge(1);
    await client.caughtUp(2);
    expect(client.offsets()).toEqual(upTo(11));
  });

  it("[WS-12] stops a backlog in the middle of a page, behind by exactly what did not fit", async () => {
    await world.publish(
      "orders",
      makeDrafts(20).map((draft) => ({ ...draft, data: sized(10_000) })),
    );
    const client = await world.connect(0);
    await client.subscribe("other");
    await world.publish(
      "other",
      Array.from({ length: 4 }, () => makeDraft({ data: sized(240_000) })),
    );
    await client.until(() => client.offsets("other").length === 4, "most of what the window takes");
    await client.subscribe("orders", { from: "earliest" });
    await client.until(() => client.offsets("orders").length > 6, "two frames of the page");
    await client.ask({ op: "unsubscribe", topic: "another" });
    const seen = client.offsets("orders").length;
    expect(seen).toBeLessThan(20);
    const behind = (await world.follows()).find(({ topic }) => topic === "orders")?.behind;
    expect(behind).toBe(`[${seen}]`);
    client.acknowledge(1);
    await client.caughtUp(2);
    expect(client.offsets("orders")).toEqual(upTo(20));
  });

  it("[WS-12] of one reader slows no other", async () => {
    const quick = await world.connect(1);
    await quick.subscribe("orders");
    await stall();
    await quick.until(() => quick.offsets().length === 11, "every event");
    expect(quick.offsets()).toEqual(upTo(11));
  });

  it("[WS-13] that stays full without a ping closes the socket with 4008 and a cursor that resumes", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const client = await stall();
    await world.runAlarm();
    vi.setSystemTime(Date.now() + LIMITS.READER_STALL_MS + 1);
    await world.runAlarm();
    const { code, reason } = await client.closed;
    expect(code).toBe(4008);
    const [slug, cursor] = reason.split(" ");
    expect(slug).toBe("reader_too_slow");
    expect(parseCursor(cursor!)).not.toBeNull();
    const problem = { code: "reader_too_slow", retryable: true };
    expect(client.messages.at(-1)).toMatchObject({ op: "error", problem });
    expect(await world.follows()).toEqual([]);

    const resumed = await world.connect(1);
    await resumed.subscribe("orders", { from: `cursor:${cursor}` });
    await resumed.caughtUp();
    expect([...client.offsets(), ...resumed.offsets()]).toEqual(upTo(11));
  });

  it("[WS-13] that stays full ends without a cursor rather than with half of one", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await world.makeTopic("orders", { partitions: 64 });
    const client = await stall();
    vi.setSystemTime(Date.now() + LIMITS.READER_STALL_MS + 1);
    await world.runAlarm();
    expect(await client.closed).toEqual({ code: 4008, reason: "reader_too_slow" });
  });

  it("[WS-13] that stays full stays open while its reader pings", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now - 2 * LIMITS.READER_STALL_MS });
    const client = await stall();
    client.send({ op: "ping" });
    await client.message(({ op }) => op === "pong", "a pong");
    vi.setSystemTime(Date.now() + 2 * LIMITS.READER_STALL_MS);
    await world.runAlarm();
    client.acknowledge(1);
    await client.caughtUp(2);
    expect(client.offsets()).toEqual(upTo(11));
  });
});

describe("under way", () => {
  it.each([20_261_120, 7])("[WS-14] readers see every event once, whatever is evicted (seed %i)", async (seed) => {
    const random = seededRandom(seed);
    const readers: { client: HubClient; after: number }[] = [];
    let head = 0;
    const publishSome = async (): Promise<void> => {
      const count = 1 + Math.floor(random() * 8);
      await world.publish("orders", makeDrafts(count, head + 1));
      head += count;
    };
    const join = async (): Promise<void> => {
      const client = await world.connect(1 + Math.floor(random() * 20));
      const before = readers[Math.floor(random() * readers.length)];
      const seen = before?.client.events().at(-1);
      const after = seen === undefined ? 0 : seen.event!.offset;
      const from = seen === undefined ? "earliest" : `cursor:${seen.cursor}`;
      // Without waiting for the answer: what is published meanwhile belongs to the backlog or to the live part.
      client.send({ op: "subscribe", topic: "orders", from });
      readers.push({ client, after });
    };
    await publishSome();
    for (let step = 0; step < 150; step += 1) {
      const chance = random();
      if (chance < 0.1 && readers.length < 12) await join();
      else if (chance < 0.2) await world.evict();
      else if (chance < 0.3) await Promise.all([publishSome(), join(), world.evict()]);
      else await publishSome();
    }
    for (const { client, after } of readers) {
      await client.until(() => client.offsets().at(-1) === head, `the event ${head}`);
      expect(client.offsets()).toEqual(upTo(head - after, after + 1));
      expect(client.messages.filter(({ op }) => op === "caught_up").length).toBeGreaterThan(0);
      expect(client.messages.slice(0, 2).map(({ op }) => op)).toEqual(["welcome", "subscribed"]);
    }
    expect(readers.length).toBeGreaterThan(5);
  });
});
