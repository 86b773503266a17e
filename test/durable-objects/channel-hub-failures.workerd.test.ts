import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { ChannelHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
import { Connection } from "../../src/durable-objects/channel-hub/connection.ts";
import type { Env } from "../../src/env.ts";
import { HubWorld } from "../builders/hub-world.ts";
import { makeDrafts } from "../builders/log.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

let world: HubWorld;

beforeAll(migrateDatabase);
beforeEach(() => {
  world = new HubWorld();
});
afterEach(() => world.close());

/** Logs that answer nothing until they are told to fail, every read of them at once. */
function makeFailingLogs(): { readonly logs: Env["TOPIC_LOG"]; readonly fail: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const log = { read: () => promise };
  return { logs: { getByName: () => log } as unknown as Env["TOPIC_LOG"], fail: () => reject(new Error("planned")) };
}

describe("a log that does not answer", () => {
  it.each(["before", "after"])(
    "[WS-30] and fails %s the alarm leaves one that brings its reader level",
    async (when) => {
      const client = await world.connect();
      await client.subscribe("orders");
      await world.losePushes("orders");
      await world.publish("orders", makeDrafts(2));
      const { logs, fail } = makeFailingLogs();
      await runInDurableObject(world.hub, async (_hub, ctx) => {
        // As an eviction in the middle of a backlog leaves it.
        ctx.storage.sql.exec(`UPDATE positions SET offset = 2`);
        ctx.storage.sql.exec(`UPDATE follows SET behind = '[0]'`);
        const hub = new ChannelHub(ctx, { ...env, TOPIC_LOG: logs });
        if (when === "before") await failNow(fail);
        await ctx.storage.deleteAlarm(); // It goes off.
        await hub.alarm();
        if (when === "after") await failNow(fail);
        expect(await ctx.storage.getAlarm()).not.toBeNull();
      });
      await world.evict();
      await world.runAlarm();
      await client.until(() => client.offsets().length === 2, "the backlog");
      expect(client.offsets()).toEqual([1, 2]);
    },
  );
});

describe("frames that wait", () => {
  const frameOf = (bytes: number): string =>
    JSON.stringify({ op: "publish", topic: "orders", event: { type: "t", data: "x".repeat(bytes) } });

  it("[WS-34] for a log that does not answer are of a bounded size, and nobody else is closed", async () => {
    const [flooding, patient] = [await world.connect(), await world.connect()];
    await flooding.subscribe("orders");
    await runInDurableObject(world.hub, async (_hub, ctx) => {
      const { logs, fail } = makeFailingLogs();
      const hub = new ChannelHub(ctx, { ...env, TOPIC_LOG: logs });
      const [id] = ctx.storage.sql.exec<{ connection: string }>(`SELECT connection FROM follows`).toArray();
      const socket = ctx.getWebSockets(id!.connection)[0]!;
      const frames = [`{"op":"subscribe","topic":"orders"}`, ...Array.from({ length: 18 }, () => frameOf(60_000))];
      const done = frames.map((frame) => hub.webSocketMessage(socket, frame));
      await expect.poll(() => socket.deserializeAttachment()).toBeNull();
      fail();
      await Promise.all(done);
    });
    expect((await flooding.closed).code).toBe(4_029);
    expect(await patient.subscribe("orders")).toMatchObject({ op: "subscribed" });
  });

  it("[WS-34] are counted for the whole hub, until their work is done", async () => {
    const waiting = { frames: 0, bytes: LIMITS.HUB_WAITING_BYTES_MAX - 10 };
    const connection = new Connection(new WebSocketPair()[0], "c", world.caller.principal, waiting);
    const { promise, resolve } = Promise.withResolvers<void>();
    const taken = connection.inOrder(10, () => promise);
    expect(await connection.inOrder(1, () => promise)).toMatchObject({ code: "too_many_frames", retryAfterSeconds: 1 });
    resolve();
    expect(await taken).toBeNull();
    expect(await connection.inOrder(10, () => promise)).toBeNull();
    expect(waiting).toEqual({ frames: 0, bytes: LIMITS.HUB_WAITING_BYTES_MAX - 10 });
  });
});

describe("a database that does not answer", () => {
  const rename = (from: string, to: string) => env.DB.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run();

  it("[WS-31] leaves no message without its answer, nor those behind it in the frame", async () => {
    const client = await world.connect();
    await rename("topics", "topics_away");
    client.send([
      { op: "subscribe", topic: "lost", ref: "a" },
      { op: "publish", topic: "lost", event: { type: "t" }, ref: "b" },
      { op: "unsubscribe", topic: "lost", ref: "c" },
    ]);
    await client.message(({ ref }) => ref === "c", "the last answer");
    await rename("topics_away", "topics");
    const overloaded = { op: "error", problem: { code: "hub_overloaded" } };
    expect(client.messages.slice(1)).toMatchObject([
      { ...overloaded, ref: "a" },
      { ...overloaded, ref: "b" },
      { op: "unsubscribed", ref: "c" },
    ]);
    expect(await client.subscribe("lost")).toMatchObject({ op: "subscribed" });
  });
});

/** Everybody who waits has seen the failure. */
async function failNow(fail: () => void): Promise<void> {
  fail();
  await new Promise((resolve) => setTimeout(resolve));
}
