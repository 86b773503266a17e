/** The story of a delivery's attempts, as operators read it; bounded, because a broken target writes it. */
import { unreachable } from "./assert.ts";
import type { AttemptOutcome, AttemptRecord } from "./delivery-decision.ts";

/** `all`: of what was delivered too, the last ones. `failures`: until it is delivered. `none`: of nothing. */
export type AttemptsKept = "all" | "failures" | "none";

const RECORDS_MAX = 100;
/** The last answer is kept as it was read; of those before it, the beginning. */
const EARLIER_EXCERPT_CHARS = 200;

export function appendAttempt(history: readonly AttemptRecord[], record: AttemptRecord): AttemptRecord[] {
  return [...history.slice(-(RECORDS_MAX - 1)).map(shorten), record];
}

const shorten = (past: AttemptRecord): AttemptRecord => ({
  ...past,
  excerpt: past.excerpt.slice(0, EARLIER_EXCERPT_CHARS),
});

/** `startedAt` in milliseconds since 1970. */
export function recordAttempt(outcome: AttemptOutcome, startedAt: number, durationMs: number): AttemptRecord {
  const at = new Date(startedAt).toISOString();
  switch (outcome.kind) {
    case "accepted":
      return { at, durationMs, status: outcome.status, error: null, excerpt: "" };
    case "refused":
      return { at, durationMs, status: outcome.status, error: null, excerpt: outcome.excerpt };
    case "unreachable":
      return { at, durationMs, status: null, error: outcome.reason, excerpt: outcome.excerpt };
    case "gone":
      return { at, durationMs, status: 410, error: null, excerpt: "" };
    case "rejected":
      return { at, durationMs, status: null, error: outcome.reason, excerpt: outcome.excerpt };
    case "nacked":
      return { at, durationMs, status: null, error: outcome.kind, excerpt: outcome.reason };
    case "not_attempted":
    case "lease_expired":
    case "expired":
    case "cancelled":
      return { at, durationMs, status: null, error: outcome.kind, excerpt: "" };
    default:
      return unreachable(outcome);
  }
}
