import { describe, expect, it } from "vitest";
import { median, pairwiseRatios, quantile, summarize } from "../../bench/numbers.ts";

describe("statistics of the bench", () => {
  it("take the middle value, or the middle between two", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("find a quantile between neighbours by straight line", () => {
    const values = Array.from({ length: 101 }, (_, index) => index);
    expect(quantile(values, 0.99)).toBe(99);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it("leave the list they were given in its order", () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  it("refuse to say anything of no values", () => {
    expect(() => median([])).toThrow("no values");
  });

  it("show the spread around the median", () => {
    expect(summarize([2, 8, 4])).toEqual({ median: 4, low: 2, high: 8 });
  });

  it("compare pair by pair, so that a slow minute weighs on both", () => {
    // The machine halved its speed in the second pair; the sides did not change.
    expect(pairwiseRatios([200, 100], [100, 50])).toEqual([2, 2]);
    expect(() => pairwiseRatios([1], [])).toThrow("do not pair");
  });
});
