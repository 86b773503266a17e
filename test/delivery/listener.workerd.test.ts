import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { attemptDelivery } from "../../src/delivery/attempt.ts";
import {
  defineListener,
  type ListenerContext,
  type ListenerEffects,
  type ListenerEvent,
} from "../../src/delivery/define-listener.ts";
import { findListener, registerListeners } from "../../src/delivery/listener-registry.ts";
import { readEventCounts } from "../../src/store/analytics-store.ts";
import { purgeEffects } from "../../src/store/effects-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { makeDefinition } from "../durable-objects/ledger-world.ts";

let behave: (event: ListenerEvent, context: ListenerContext) => ListenerEffects | Promise<ListenerEffects> = () =>
  undefined;
let calls: number[] = [];

beforeAll(async () => {
  await migrateDatabase();
  await env.DB.prepare(
    "CREATE TABLE effects (delivery TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0))",
  ).run();
  registerListeners([
    defineListener({
      name: "programmed",
      handle: (event, context) => {
        calls.push(event.offset);
        return behave(event, context);
      },
    }),
  ]);
});

beforeEach(() => {
  behave = () => undefined;
  calls = [];
});

const line = (offset: number): string =>
  JSON.stringify({ id: `e${offset}`, type: "order.created", topic: "orders", partition: 0, offset });

const attempt = (offset: number, name = "programmed", timeoutMs = 5_000, source = 1): Promise<AttemptOutcome> =>
  attemptDelivery(env, {
    definition: makeDefinition({ id: "sub_effects", target: { kind: "listener", name }, timeoutMs }),
    delivery: {
      id: `msg_sub_effects_${source}_${offset}`,
      source,
      topic: "orders",
      partition: 0,
      epoch: 1,
      offset,
      attempt: 1,
      redrive: false,
      line: null,
    },
    line: line(offset),
  });

const effect = (db: D1Database, delivery: string, amount = 1): D1PreparedStatement =>
  db.prepare("INSERT INTO effects (delivery, amount) VALUES (?1, ?2)").bind(delivery, amount);

const effectsOf = async (offset: number): Promise<number> =>
  (await env.DB.prepare("SELECT count(*) AS count FROM effects WHERE delivery = ?1")
    .bind(`msg_sub_effects_1_${offset}`)
    .first<{ count: number }>())!.count;

const countKeys = async (): Promise<number> =>
  (await env.DB.prepare("SELECT count(*) AS count FROM listener_effects").first<{ count: number }>())!.count;

describe("a listener's effects in D1", () => {
  it("[LSN-1] happen once when the same delivery comes twice, and it is not even handled again", async () => {
    behave = (_event, { db, deliveryId }) => [effect(db, deliveryId)];
    expect(await attempt(1)).toEqual({ kind: "accepted", status: 200 });
    expect(await attempt(1)).toEqual({ kind: "accepted", status: 200 });
    expect(await effectsOf(1)).toBe(1);
    expect(calls).toEqual([1]);
  });

  it("[LSN-1] happen once when ten of the same delivery run at once", async () => {
    behave = async (_event, { db, deliveryId }) => [effect(db, deliveryId)];
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(2)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(10).fill("accepted"));
    expect(await effectsOf(2)).toBe(1);
  });

  it("[LSN-1] happen once when a seek or a replay makes another delivery of the event", async () => {
    behave = (_event, { db, deliveryId }) => [effect(db, deliveryId)];
    expect(await attempt(7)).toEqual({ kind: "accepted", status: 200 });
    expect(await attempt(7, "programmed", 5_000, 2)).toEqual({ kind: "accepted", status: 200 });
    expect(calls).toEqual([7]);
    const keys = await env.DB.prepare("SELECT delivery_id FROM listener_effects").all();
    expect(keys.results).toContainEqual({ delivery_id: '["orders",0,1,7]' });
  });

  it("[LSN-1] happen not at all when one of them fails, and again may succeed", async () => {
    behave = (_event, { db, deliveryId }) => [effect(db, deliveryId), effect(db, deliveryId, -1)];
    expect(await attempt(3)).toMatchObject({ kind: "unreachable", reason: "listener_threw" });
    expect(await effectsOf(3)).toBe(0);
    behave = (_event, { db, deliveryId }) => [effect(db, deliveryId), effect(db, deliveryId, 2)];
    expect(await attempt(3)).toMatchObject({ kind: "accepted" });
    expect(await effectsOf(3)).toBe(2);
  });

  it("[LSN-1] are remembered for a quarter of a year, and then forgotten", async () => {
    behave = (_event, { db, deliveryId }) => [effect(db, deliveryId)];
    await attempt(4);
    const before = await countKeys();
    await purgeEffects(env.DB, Date.now() + 80 * 86_400_000);
    expect(await countKeys()).toBe(before);
    await purgeEffects(env.DB, Date.now() + 100 * 86_400_000);
    expect(await countKeys()).toBe(0);
  });
});

describe("a listener", () => {
  it("[LSN-2] gets the event and where it stands, and needs no effects to accept", async () => {
    const seen: unknown[] = [];
    behave = (event, { deliveryId, attempt: number, subscription, app }) => {
      seen.push([event.id, event.offset, deliveryId, number, subscription, app]);
    };
    expect(await attempt(10)).toEqual({ kind: "accepted", status: 200 });
    expect(seen).toEqual([["e10", 10, "msg_sub_effects_1_10", 1, "test", "app_test"]]);
  });

  it("[LSN-2] that throws has failed, with what it threw", async () => {
    behave = () => {
      throw new Error("no stock");
    };
    expect(await attempt(11)).toEqual({ kind: "unreachable", reason: "listener_threw", excerpt: "no stock" });
    behave = () => Promise.reject(new Error("later"));
    expect(await attempt(11)).toMatchObject({ excerpt: "later" });
  });

  it("[LSN-2] that takes longer than the timeout has failed, and its effects do not come after", async () => {
    behave = (_event, { db, deliveryId, signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve([effect(db, deliveryId)]));
      });
    expect(await attempt(12, "programmed", 20)).toEqual({ kind: "unreachable", reason: "timeout", excerpt: "" });
    expect(await effectsOf(12)).toBe(0);
  });

  it("[LSN-2] that the hub was built without is an attempt that failed, not a crash", async () => {
    expect(await attempt(13, "missing")).toMatchObject({ kind: "unreachable", reason: "listener_threw" });
  });

  it("[LSN-3] has a name of its own", () => {
    expect(findListener("programmed")?.name).toBe("programmed");
    expect(findListener("missing")).toBeNull();
    const twice = defineListener({ name: "programmed", handle: () => undefined });
    expect(() => registerListeners([twice])).toThrow(`two listeners are named "programmed"`);
  });

  it("[LSN-4] named analytics counts every event once, by topic and type", async () => {
    for (const offset of [20, 21, 21, 22]) await attempt(offset, "analytics");
    expect(await readEventCounts(env.DB, "app_test")).toMatchObject([
      { topic: "orders", type: "order.created", events: 3 },
    ]);
    expect(await readEventCounts(env.DB, "app_other")).toEqual([]);
  });
});
