import { describe, expect, it } from "vitest";
import { COST_LIMITS, excesses } from "../../bench/cost/limits.ts";
import { dollarsOf, NOTHING, unitsPer, type Units } from "../../bench/cost/units.ts";
import { countUnits, WORKLOADS } from "../../bench/cost/workloads.ts";

/**
 * Coarse, for a machine that is busy: settles, alarms and the tally of the metrics come by the clock, so a slow run has
 * more of them for each event. What is exact is `npm run cost`; here one row too many in an event is seen.
 */
const LEAN = { events: 50, quietMs: 300 };

const countOf = (name: string, size = LEAN): Promise<Units> =>
  countUnits(
    WORKLOADS.find((workload) => workload.name === name)!,
    size,
  );

describe.concurrent("what an event costs in the real hub", { timeout: 240_000 }, () => {
  it("[COST-1] alone: a call of the Worker, one of the log, and a row, or two with an id of the client's", async () => {
    const [alone, withId] = await Promise.all([countOf("publish-1"), countOf("publish-1-id")]);
    expect(alone).toMatchObject({ workerRequests: 1, queueOperations: 0 });
    expect(alone.objectRequests).toBeLessThan(1.5);
    expect(alone.rowsWritten).toBeGreaterThanOrEqual(1); // A meter that counts nothing would pass everything.
    expect(alone.rowsWritten).toBeLessThan(1.5);
    expect(withId.rowsWritten).toBeGreaterThanOrEqual(2);
    expect(withId.rowsWritten).toBeLessThan(2.5);
  });

  it("[COST-2] in batches of a hundred: a twentieth of a row at most, with an Idempotency-Key as well", async () => {
    const [batches, keyed] = await Promise.all([countOf("publish-100"), countOf("publish-100-key")]);
    expect(batches.rowsWritten).toBeGreaterThanOrEqual(0.01);
    expect(batches.rowsWritten).toBeLessThan(0.05);
    expect(keyed.rowsWritten).toBeLessThan(0.08);
    expect(keyed.workerRequests).toBe(0.01);
  });

  it("[COST-3] delivered in packed dispatches: a share of a row, of a call and of a queue operation", async () => {
    const units = await countOf("deliver-backlog", { ...LEAN, events: 100 });
    expect(units.queueOperations).toBeGreaterThanOrEqual(0.03);
    expect(units.queueOperations).toBeLessThanOrEqual(0.1);
    // A tenth on a quiet machine; on one that is very slow a settle for each quarter of a second.
    expect(units.objectRequests).toBeLessThanOrEqual(0.5);
    expect(units.rowsWritten).toBeLessThanOrEqual(0.5);
  });

  it("[COST-4] at rest: nothing", async () => {
    expect(await countOf("idle")).toEqual(NOTHING);
  });
});

describe("the model", () => {
  it("prices a million of each unit as the platform does", () => {
    expect(dollarsOf({ ...NOTHING, rowsWritten: 1_000_000, queueOperations: 3_000_000 })).toBeCloseTo(2.2);
    expect(unitsPer({ ...NOTHING, rowsRead: 10 }, 4).rowsRead).toBe(2.5);
  });

  it("[COST-5] names each count that is over its committed figure, and every workload has figures", () => {
    expect(excesses("idle", { ...NOTHING, rowsWritten: 0.01 })).toEqual([
      "idle has 0.0100 rowsWritten, and 0 are committed",
    ]);
    expect(excesses("idle", NOTHING)).toEqual([]);
    expect(excesses("unheard-of", NOTHING)).toEqual(["nothing is committed of unheard-of"]);
    expect(Object.keys(COST_LIMITS)).toEqual(WORKLOADS.map(({ name }) => name));
  });
});
