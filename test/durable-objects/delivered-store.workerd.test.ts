import { expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { LedgerWorld } from "./ledger-world.ts";

it("[EPH-12] of what was delivered the last are kept, and never many more than the limit", async () => {
  const world = new LedgerWorld("delivered", ["t"]);
  const kept = await world.step(({ delivered }) => {
    let most = 0;
    for (let offset = 1; offset <= 2_350; offset += 1) {
      delivered.insert({ source: 1, offset }, []);
      if (offset % 50 === 49) most = Math.max(most, delivered.list(0, 10_000).length);
    }
    expect(most).toBeLessThanOrEqual(LIMITS.KEPT_DELIVERIES_MAX + 100);
    return delivered.list(0, 10_000).map(({ offset }) => offset);
  });
  expect(kept.length).toBeGreaterThanOrEqual(LIMITS.KEPT_DELIVERIES_MAX);
  expect(kept.at(-1)).toBe(2_350);
  expect(kept).toEqual(kept.toSorted((left, right) => left - right));
});
