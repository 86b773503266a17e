/** Batches and rates, step by step, in a ledger that is read anew from its rows each time. */
import { describe, expect, it } from "vitest";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { rateRoom } from "../../src/core/ledger-rate.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { ACCEPTED, FAILED, LedgerWorld, lineOf, outcomeOf } from "./ledger-world.ts";

const batch = { maxEvents: 10, maxBytes: 100_000, maxWaitMs: 3_600_000 };

async function begin(id: string, more: Partial<SubscriptionDefinition>): Promise<LedgerWorld> {
  const world = new LedgerWorld(id, ["t"], more);
  await world.define();
  await world.accept(world.log("t").push());
  return world;
}

const sizesOf = ({ sent }: LedgerWorld): number[] => sent.map(({ events }) => events.length);
const passWait = (world: LedgerWorld): Promise<unknown> =>
  world.step((ledger) => ledger.storage.sql.exec("UPDATE gathers SET until = 1"));

describe("a batch", () => {
  it("[DLV-37] that is not full waits in the log until its time, over every eviction, and owes nothing meanwhile", async () => {
    const world = await begin("gathers", { batch });
    await world.push(4);
    await world.pump();
    await world.push(3);
    await world.pump();
    expect(world.sent).toEqual([]);
    expect(await world.stats()).toMatchObject({ owed: 0, matched: 0, lag: 7 });
    const until = await world.step((ledger) => ledger.gathers.until(1)!);
    expect(Math.abs(until - Date.now() - batch.maxWaitMs)).toBeLessThan(60_000);
    await passWait(world);
    await world.pump();
    expect(sizesOf(world)).toEqual([7]);
    expect(await world.stats()).toMatchObject({ owed: 7, lag: 0 });
    expect(await world.step((ledger) => ledger.gathers.until(1))).toBeNull();
  });

  it("[DLV-37] that is full goes at once, in the order of the log; the rest waits on", async () => {
    const world = await begin("fills", { batch });
    await world.push(6);
    await world.pump();
    await world.push(7);
    await world.pump();
    expect(world.sent.map(({ events }) => events.map(({ offset }) => offset))).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ]);
    expect(await world.stats()).toMatchObject({ matched: 10, owed: 10, lag: 3 });
  });

  it("[DLV-37] is cut by bytes too", async () => {
    const bytes = lineOf(1).length * 3 + 20;
    const world = await begin("bytes", { batch: { ...batch, maxBytes: bytes } });
    await world.push(7);
    await passWait(world);
    await world.pump();
    expect(sizesOf(world)).toEqual([3, 3, 1]);
  });

  it("[DLV-37] is filled with what the filter lets through", async () => {
    const world = await begin("batchfilter", { batch, filter: { data: { third: [true] } } });
    await world.push(20);
    await world.pump();
    expect(world.sent).toEqual([]);
    await world.push(12);
    await world.pump();
    expect(world.sent.map(({ events }) => events.map(({ offset }) => offset))).toEqual([
      [3, 6, 9, 12, 15, 18, 21, 24, 27, 30],
    ]);
    expect(await world.stats()).toMatchObject({ matched: 10 });
  });

  it("[DLV-37] is never begun without room for all of it, and a backlog goes in full ones", async () => {
    const world = await begin("room", { batch, maxInFlight: 25 });
    await world.setState("paused");
    await world.push(64);
    await world.setState("active");
    await world.pump();
    expect(sizesOf(world)).toEqual([10, 10]);
    for (let round = 0; round < 6; round += 1) {
      await world.settleNewest(ACCEPTED).catch(() => undefined);
      await world.pump();
    }
    expect(sizesOf(world).slice(0, 6)).toEqual([10, 10, 10, 10, 10, 10]);
    await world.stats();
  });

  it("[DLV-37] that failed is tried again as it was, and counts each attempt of each event", async () => {
    const world = await begin("again", { batch, retry: { maxAttempts: 3, delaysMs: [1_000], retryOn4xx: false } });
    await world.push(10);
    await world.pump();
    const by = await world.claimed(1);
    let chance = 0;
    await world.step((ledger) => {
      const outcomes = by.deliveries.map((delivery) => outcomeOf(delivery, FAILED));
      return settleDispatch(ledger, 1, by.claim, outcomes, true, Date.now(), () => (chance += 0.05));
    });
    const times = await world.step((ledger) => ledger.retries.listWaiting({ source: 0, offset: 0 }, 100));
    expect(new Set(times.map(({ nextAt }) => nextAt)).size).toBe(1);
    await world.step((ledger) => ledger.storage.sql.exec("UPDATE retries SET next_at = 0"));
    await world.pump();
    const again = await world.claimed(world.sent.at(-1)!.dispatch);
    expect(again.deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual(
      Array.from({ length: 10 }, (_, index) => [index + 1, 2]),
    );
  });
});

describe("a rate", () => {
  it("[DLV-38] is what dispatches carry, and an eviction brings nothing back", async () => {
    const world = await begin("rated", { ratePerSecond: 5, maxInFlight: 1_000 });
    await world.push(40);
    await world.pump();
    expect(sizesOf(world)).toEqual([5]);
    await world.settleNewest(ACCEPTED);
    await world.step((ledger) => ledger.meta.write("rate", { tokens: 0, at: Date.now() + 60_000 }));
    await world.pump();
    expect(world.sent).toHaveLength(1);
    const { until, room } = await world.step((ledger) => {
      const now = Date.now();
      return { until: ledger.rateRoomAt(now)! - now, room: ledger.room() };
    });
    expect([room, until]).toEqual([0, 400]);
    await world.step((ledger) => ledger.meta.write("rate", { tokens: 0, at: Date.now() - 60_000 }));
    await world.pump();
    expect(sizesOf(world)).toEqual([5, 5]);
  });

  it("[DLV-38] holds for retries as well, and counts a batch as one", async () => {
    const world = await begin("ratedbatch", { ratePerSecond: 2, batch, maxInFlight: 1_000 });
    await world.push(60);
    await world.pump();
    expect(sizesOf(world)).toEqual([10, 10]);
    const left = await world.step((ledger) => rateRoom(ledger.meta.read("rate"), 2, ledger.meta.read("rate")!.at));
    expect(left).toBe(0);
    await world.settleNewest(FAILED);
    await world.step((ledger) => {
      ledger.storage.sql.exec("UPDATE retries SET next_at = 0");
      ledger.meta.write("rate", { tokens: 0, at: Date.now() + 60_000 });
    });
    await world.pump();
    expect(world.sent).toHaveLength(2);
  });
});
