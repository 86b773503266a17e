import { expect, it } from "vitest";
import { appendAttempt, recordAttempt } from "../../src/core/attempt-history.ts";
import type { AttemptRecord } from "../../src/core/delivery-decision.ts";

const record = (excerpt: string): AttemptRecord => ({
  at: "2026-11-20T12:00:00.000Z",
  durationMs: 5,
  status: 500,
  error: null,
  excerpt,
});

it("[DLV-14] the last answer is kept whole, earlier ones by their beginning", () => {
  const history = appendAttempt(appendAttempt([], record("a".repeat(4_000))), record("b".repeat(4_000)));
  expect(history.map(({ excerpt }) => excerpt.length)).toEqual([200, 4_000]);
});

it("[DLV-14] the story is bounded and keeps its end", () => {
  let history: AttemptRecord[] = [];
  for (let attempt = 1; attempt <= 150; attempt += 1) history = appendAttempt(history, record(String(attempt)));
  expect(history).toHaveLength(100);
  expect(history.at(-1)?.excerpt).toBe("150");
});

it("[DLV-14] a record says when, how long, with which status or error", () => {
  const at = Date.UTC(2026, 10, 20);
  expect(recordAttempt({ kind: "refused", status: 503, retryAfterMs: null, excerpt: "busy" }, at, 12)).toEqual({
    at: "2026-11-20T00:00:00.000Z",
    durationMs: 12,
    status: 503,
    error: null,
    excerpt: "busy",
  });
  expect(recordAttempt({ kind: "unreachable", reason: "timeout", excerpt: "" }, at, 15_000)).toMatchObject({
    status: null,
    error: "timeout",
  });
  expect(recordAttempt({ kind: "nacked", delayMs: null, reason: "busy" }, at, 3)).toMatchObject({
    error: "nacked",
    excerpt: "busy",
  });
  expect(recordAttempt({ kind: "gone" }, at, 3)).toMatchObject({ status: 410, error: null });
});
