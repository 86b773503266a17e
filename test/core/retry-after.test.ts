import { expect, it } from "vitest";
import { parseRetryAfterMs } from "../../src/core/retry-after.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

it.each<[string | null, number | null]>([
  ["0", 0],
  ["120", 120_000],
  ["Fri, 20 Nov 2026 12:01:30 GMT", 90_000],
  ["Fri, 20 Nov 2026 11:00:00 GMT", 0],
  [null, null],
  ["", null],
  ["-1", null],
  ["1.5", null],
  ["soon", null],
  ["2026-11-20T12:01:30Z", null],
  ["Fri, 99 Nov 2026 12:01:30 GMT", null],
  ["1".repeat(30), null],
])("[DLV-4] Retry-After %j is %j", (text, ms) => {
  expect(parseRetryAfterMs(text, NOW)).toBe(ms);
});
