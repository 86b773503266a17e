import { describe, expect, it } from "vitest";
import { fullAllowance, spend, type Allowance } from "../../src/core/allowance.ts";

const RATE = { perSecond: 10, burst: 5 };

/** How many of so many tries at these times were granted. */
function grantedAt(times: readonly number[], rate = RATE): number {
  let allowance: Allowance = fullAllowance(rate, times[0]!);
  return times.filter((now) => {
    const left = spend(allowance, rate, now);
    allowance = left ?? allowance;
    return left !== null;
  }).length;
}

const every = (ms: number, count: number): number[] => Array.from({ length: count }, (_, index) => index * ms);

describe("an allowance", () => {
  it("[WS-26] grants the burst at once, then so many a second, and no more after any rest", () => {
    expect(grantedAt(every(0, 20))).toBe(5);
    expect(grantedAt(every(100, 50))).toBe(50);
    expect(grantedAt(every(10, 1_001))).toBe(105);
    expect(grantedAt([...every(0, 5), ...Array.from({ length: 20 }, () => 3_600_000)])).toBe(10);
  });

  it("[WS-26] loses nothing to refusals, and gains nothing from a clock that runs back", () => {
    expect(grantedAt([...every(0, 5), 99, 99, 99, 100, 101])).toBe(6);
    expect(grantedAt([1_000, 1_000, 1_000, 1_000, 1_000, 0, 1_000, 0, 1_099])).toBe(5);
  });
});
