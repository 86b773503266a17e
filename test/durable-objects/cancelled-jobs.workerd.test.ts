/** Jobs of a batch that was cancelled, in the ledger: it remembers them for longer than their batch stands. */
import { expect, it } from "vitest";
import { refuseStart } from "../../src/delivery/job-start.ts";
import { ACCEPTED, LedgerWorld, lineOf } from "./ledger-world.ts";

const BATCH = `batch_${"0".repeat(32)}_cancelled`;

it("[BAT-6] are claimed as such, begin nowhere although their batch is gone, and are skipped", async () => {
  const world = new LedgerWorld("cancelled", ["t"]);
  await world.define();
  await world.push(3);
  await world.step(({ batchDeliveries }) => {
    for (const offset of [1, 3]) batchDeliveries.insert({ source: 1, offset, batch: BATCH, index: offset, run: 1 });
    batchDeliveries.cancel(BATCH, Date.now());
  });
  const by = await world.claimed(1);
  const starts = by.deliveries.map((one) => refuseStart(world.env, world.definition, one, lineOf(one.offset)));
  const refused = await Promise.all(starts);
  expect(refused).toEqual([{ kind: "cancelled" }, null, { kind: "cancelled" }]);
  const outcomes = refused.map((outcome) => outcome ?? ACCEPTED);
  await world.settle(1, by, outcomes);
  expect(await world.stats()).toMatchObject({ matched: 3, delivered: 1, skipped: 2, owed: 0 });
});
