/** What pull workers meet where logs cannot be reached, and what the ledger's alarm waits for meanwhile. */
import { expect, it } from "vitest";
import type { PulledDelivery } from "../../src/core/pull.ts";
import { settleLeases } from "../../src/durable-objects/subscription/pull-settle.ts";
import { Puller } from "../../src/durable-objects/subscription/pull-take.ts";
import { valueOf } from "../builders/log.ts";
import { LedgerWorld } from "./ledger-world.ts";

let worlds = 0;

async function begin(maxAttempts: number): Promise<LedgerWorld> {
  worlds += 1;
  const retry = { maxAttempts, delaysMs: [0], retryOn4xx: false };
  const world = new LedgerWorld(`pulled${worlds}`, ["t", "u"], { target: { kind: "pull" }, retry });
  await world.define();
  for (const log of world.logs.values()) {
    log.head = 2;
    await world.accept(log.push());
  }
  return world;
}

const pull = async (world: LedgerWorld): Promise<readonly PulledDelivery[]> => {
  const ask = { revision: 1, max: 10, leaseMs: 30_000 };
  return valueOf(await world.step((ledger) => new Puller(ledger, world.env).pull(ask))).deliveries;
};

const nack = (world: LedgerWorld, deliveries: readonly PulledDelivery[]) => {
  const nacks = deliveries.map(({ id, lease }) => ({ id, lease, delayMs: 0, reason: "" }));
  return world.step((ledger) => settleLeases(ledger, world.env, { acks: [], nacks, extends: [] }, () => 0));
};

it("[PUL-16] what is due from a log that cannot be reached holds up no other", async () => {
  const world = await begin(5);
  await nack(world, await pull(world));
  world.log("t").reachable = false;
  world.log("u").head = 3;
  await world.accept(world.log("u").push());
  const pulled = await pull(world);
  expect(pulled.map(({ line }) => line)).toHaveLength(3); // Two of `u` that failed before, and its new one.
  expect(await pull(world)).toEqual([]);
  world.log("t").reachable = true;
  await world.step((ledger) => {
    ledger.storage.sql.exec("UPDATE retries SET next_at = 0");
  });
  expect(await pull(world)).toHaveLength(2);
  expect(await world.stats()).toMatchObject({ matched: 5, owed: 5, inFlight: 5 });
});

it("[PUL-16] what dies without its event being readable waits until it can be read", async () => {
  const world = await begin(1);
  const pulled = await pull(world);
  for (const log of world.logs.values()) log.reachable = false;
  await expect(nack(world, pulled)).rejects.toThrow("cannot be read");
  await world.lapse();
  expect(await world.stats()).toMatchObject({ owed: 4, dead: 0 });
  // Later than the lapse itself, which was 60 s from now: not at once, again and again.
  const until = await world.step((ledger) => ledger.dispatches.nextTimes().leaseUntil);
  expect(until! - Date.now()).toBeGreaterThan(63_000);
  for (const log of world.logs.values()) log.reachable = true;
  await world.lapse(120_000);
  expect(await world.stats()).toMatchObject({ owed: 0, dead: 4 });
});

it("[PUL-9] the alarm waits for leases only, never for a backlog or for what failed", async () => {
  const world = await begin(5);
  expect(await world.alarmIn()).toBeNull();
  const pulled = await pull(world);
  expect(await world.alarmIn()).toBeGreaterThan(25_000);
  await nack(world, pulled);
  expect(await world.alarmIn()).toBeNull();
});
