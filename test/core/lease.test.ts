import { expect, it } from "vitest";
import { earliestEnd, extendLease, formatLease, isHeld, parseLease, type Lease } from "../../src/core/lease.ts";
import { LIMITS } from "../../src/core/limits.ts";

const LEASE: Lease = [1_000, 31_000, "abc"];

it("[PUL-4] a lease holds under its own nonce, until it runs out and no longer", () => {
  expect([isHeld(LEASE, "abc", 1_000), isHeld(LEASE, "abc", 30_999), isHeld(LEASE, "abc", 31_000)]).toEqual([
    true,
    true,
    false,
  ]);
  expect([isHeld(LEASE, "abd", 2_000), isHeld(LEASE, "", 2_000), isHeld(undefined, "abc", 2_000)]).toEqual([
    false,
    false,
    false,
  ]);
});

it("[PUL-4] its token is read back, and text that is none names nothing", () => {
  expect(parseLease(formatLease(17, "0z9"))).toEqual({ dispatch: 17, nonce: "0z9" });
  for (const text of [
    "",
    "17",
    "17.",
    ".a",
    "0.a",
    "-1.a",
    "1.A",
    "1.a.b",
    "1.a\n",
    `1.${"a".repeat(33)}`,
    `1${"0".repeat(15)}.a`,
  ])
    expect([text, parseLease(text)]).toEqual([text, null]);
});

it("[PUL-7] an extend is counted from the lease's end, and ends at the longest lease from now", () => {
  expect(extendLease(LEASE, 5_000, 2_000)).toEqual([1_000, 36_000, "abc"]);
  expect(extendLease(LEASE, LIMITS.PULL_LEASE_MS_MAX, 2_000)).toEqual([1_000, 2_000 + LIMITS.PULL_LEASE_MS_MAX, "abc"]);
});

it("[PUL-6] the first of several to run out is what the alarm waits for", () => {
  expect(earliestEnd({ a: [0, 9, "a"], b: [0, 5, "b"] })).toBe(5);
  expect(earliestEnd({})).toBe(0);
});
