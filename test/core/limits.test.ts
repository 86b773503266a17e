import { expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { DEFAULT_DELAYS_MS } from "../../src/core/retry-schedule.ts";

it.each(Object.entries(LIMITS))("%s is a whole number above zero", (_name, limit) => {
  expect(Number.isSafeInteger(limit)).toBe(true);
  expect(limit).toBeGreaterThan(0);
});

it("every limit names its unit or what it counts, and whether it is a bound", () => {
  const known = /_(BYTES|CHARS|MS|EVENTS|KEYS|DEPTH|PARTITIONS|EXTENSIONS|SLICE|ITEMS|MESSAGES|SOCKET|FRAMES|SECOND)/;
  const counted =
    /_(DELIVERIES|CONNECTIONS|HOPS|LAPSES|OUTCOMES|ATTEMPTS|FLIGHT|TOPICS|SUBSCRIPTIONS|SOCKETS|SCOPES|ORIGINS|HEADERS|VALUES|ENTRIES|EXAMINED|JOBS|REVOCATIONS|HUBS|MEMBERS|RANGES|CHANNELS|USERS|SCHEMAS|VERSIONS|WIDTH|SIZE|CHECKS|STEPS|DIFFERENCES|TYPES|POLICIES|COMMANDS|APPS|SERIES|SHARDS|SIGHTINGS|WRITES|SPANS|SCHEDULES|TURN|ONCE|WAITERS)|^ATTEMPTS/;
  const unclear = Object.keys(LIMITS).filter((name) => !known.test(name) && !counted.test(name));
  expect(unclear).toEqual([]);
});

it("each fits into what carries it", () => {
  expect(LIMITS.EVENT_BYTES_MAX).toBeLessThanOrEqual(LIMITS.REQUEST_BYTES_MAX);
  expect(LIMITS.REQUEST_BYTES_MAX).toBeLessThanOrEqual(LIMITS.SEGMENT_BYTES_MAX);
  expect(LIMITS.SEGMENT_BYTES_MAX).toBeLessThanOrEqual(LIMITS.PAGE_BYTES_MAX);
  expect(LIMITS.SEGMENT_BYTES_MAX).toBeLessThan(2_000_000); // a row
  expect(LIMITS.PAGE_BYTES_MAX).toBeLessThan(32 * 1_024 * 1_024); // an RPC answer
  expect(LIMITS.EVENT_BYTES_MAX).toBeLessThanOrEqual(LIMITS.PUSH_BYTES_MAX);
  expect(LIMITS.FRAME_IN_BYTES_MAX).toBeLessThan(LIMITS.EVENT_BYTES_MAX);
  expect(LIMITS.DISPATCH_INLINE_BYTES_MAX).toBeLessThan(128_000); // a queue message
});

it("a delivery's times fit into one another", () => {
  expect(LIMITS.TIMEOUT_MS_DEFAULT).toBeLessThanOrEqual(LIMITS.TIMEOUT_MS_MAX);
  expect(LIMITS.TIMEOUT_MS_MAX).toBeLessThan(LIMITS.DISPATCH_WORK_MS_MAX);
  expect(LIMITS.DISPATCH_WORK_MS_MAX).toBeLessThan(30_000); // what waitUntil has after the invocation
  expect(LIMITS.COMMAND_MS_MAX).toBeLessThan(LIMITS.IDEMPOTENCY_LEASE_MS);
  expect(LIMITS.IDEMPOTENCY_KEEP_MS).toBeLessThanOrEqual(LIMITS.DEDUP_KEEP_MS_MIN);
  expect(Math.max(...DEFAULT_DELAYS_MS)).toBeLessThanOrEqual(LIMITS.RETRY_DELAY_MS_MAX);
});
