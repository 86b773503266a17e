import { expect, it } from "vitest";
import { rateRoom, rateRoomAt, spendTokens, type RateBucket } from "../../src/core/ledger-rate.ts";
import { seededRandom } from "../harness/random.ts";

const NOW = 1_000_000;

it("[DLV-38] begins with one second's worth, and fills no further", () => {
  expect(rateRoom(null, 10, NOW)).toBe(10);
  const spent = spendTokens(null, 10, 10, NOW);
  expect(rateRoom(spent, 10, NOW)).toBe(0);
  expect(rateRoom(spent, 10, NOW + 500)).toBe(5);
  expect(rateRoom(spent, 10, NOW + 60_000)).toBe(10);
});

it("[DLV-38] says when there is room again, and then there is", () => {
  for (const perSecond of [1, 3, 10, 999, 10_000]) {
    const spent = spendTokens(null, perSecond, perSecond, NOW);
    const at = rateRoomAt(spent, perSecond, NOW)!;
    expect(rateRoom(spent, perSecond, at)).toBeGreaterThan(0);
    expect(rateRoom(spent, perSecond, at - 2)).toBe(0);
    expect(rateRoomAt(spent, perSecond, at)).toBeNull();
  }
});

it("[DLV-38] is not moved by a clock that steps back", () => {
  const spent = spendTokens(null, 10, 10, NOW);
  expect(rateRoom(spent, 10, NOW - 5_000)).toBe(0);
  expect(rateRoomAt(spent, 10, NOW - 5_000)).toBe(NOW - 5_000 + 300);
});

it("[DLV-38] lets go in no second more than two seconds' worth, and over time no more than the rate", () => {
  const random = seededRandom(7);
  const perSecond = 50;
  let bucket: RateBucket | null = null;
  const gone: { at: number; calls: number }[] = [];
  for (let now = NOW; now < NOW + 20_000; now += Math.floor(random() * 400)) {
    const calls = Math.min(rateRoom(bucket, perSecond, now), 1 + Math.floor(random() * 60));
    bucket = spendTokens(bucket, perSecond, calls, now);
    gone.push({ at: now, calls });
  }
  const between = (from: number, to: number): number =>
    gone.filter(({ at }) => at >= from && at < to).reduce((sum, { calls }) => sum + calls, 0);
  for (const { at } of gone) expect(between(at, at + 1_000)).toBeLessThanOrEqual(2 * perSecond);
  expect(between(NOW, NOW + 20_000)).toBeLessThanOrEqual(21 * perSecond);
  expect(between(NOW, NOW + 20_000)).toBeGreaterThan(10 * perSecond);
});
