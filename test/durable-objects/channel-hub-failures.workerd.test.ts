import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChannelHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
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
