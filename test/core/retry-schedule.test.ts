import { expect, it } from "vitest";
import { DEFAULT_DELAYS_MS, retryDelayMs } from "../../src/core/retry-schedule.ts";

const policy = (delaysMs: readonly number[]) => ({ maxAttempts: 50, delaysMs, retryOn4xx: false });

it("[DLV-8] each step is shortened by at most a fifth, and never lengthened", () => {
  for (const [index, step] of DEFAULT_DELAYS_MS.entries()) {
    for (const random of [0, 0.1, 0.5, 0.9, 0.999_999]) {
      const delay = retryDelayMs(policy(DEFAULT_DELAYS_MS), index + 1, random);
      expect(delay).toBeGreaterThanOrEqual(step * 0.8);
      expect(delay).toBeLessThanOrEqual(step);
    }
  }
});

it("[DLV-8] chance spreads over the whole of that fifth", () => {
  expect(retryDelayMs(policy([10_000]), 1, 0)).toBe(8_000);
  expect(retryDelayMs(policy([10_000]), 1, 0.5)).toBe(9_000);
});

it("[DLV-8] the last step repeats, and no steps at all mean no delay", () => {
  expect(retryDelayMs(policy([1_000, 2_000]), 9, 0)).toBe(1_600);
  expect(retryDelayMs(policy([]), 1, 0.5)).toBe(0);
});
