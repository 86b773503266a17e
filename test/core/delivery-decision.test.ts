import { describe, expect, it } from "vitest";
import { decideAfterAttempt, type AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { RetryPolicy } from "../../src/core/retry-schedule.ts";

const POLICY: RetryPolicy = { maxAttempts: 3, delaysMs: [1_000, 60_000], retryOn4xx: false };
const NO_JITTER = 0.999_999_999;

const refused = (status: number, retryAfterMs: number | null = null): AttemptOutcome => ({
  kind: "refused",
  status,
  retryAfterMs,
  excerpt: "",
});

describe("after an attempt", () => {
  it("[PUL-5] a nack is tried again after its own delay or the schedule's, until the attempts are used up", () => {
    const nacked = (delayMs: number | null): AttemptOutcome => ({ kind: "nacked", delayMs, reason: "" });
    expect(decideAfterAttempt(nacked(7), 1, POLICY, 0)).toEqual({ kind: "retry", delayMs: 7 });
    expect(decideAfterAttempt(nacked(null), 1, POLICY, NO_JITTER)).toEqual({ kind: "retry", delayMs: 1_000 });
    expect(decideAfterAttempt(nacked(7), 3, POLICY, 0)).toEqual({ kind: "dead", reason: "attempts_exhausted" });
  });

  it("[PUL-6] a lease that ran out is due at once, until the attempts are used up", () => {
    expect(decideAfterAttempt({ kind: "lease_expired" }, 2, POLICY, 0)).toEqual({ kind: "retry", delayMs: 0 });
    expect(decideAfterAttempt({ kind: "lease_expired" }, 3, POLICY, 0).kind).toBe("dead");
  });

  it("[DLV-1] what the target accepted is delivered", () => {
    expect(decideAfterAttempt({ kind: "accepted", status: 204 }, 1, POLICY, 0)).toEqual({ kind: "delivered" });
  });

  it.each([400, 401, 403, 404, 405, 413, 415, 422])(
    "[DLV-2] a refusal with %i is final at the first attempt",
    (status) => {
      expect(decideAfterAttempt(refused(status), 1, POLICY, 0)).toEqual({
        kind: "dead",
        reason: "refused_permanently",
      });
    },
  );

  it.each([400, 404, 422])("[DLV-2] with retryOn4xx a refusal with %i is tried again", (status) => {
    expect(decideAfterAttempt(refused(status), 1, { ...POLICY, retryOn4xx: true }, 0).kind).toBe("retry");
  });

  it.each([402, 408, 409, 425, 429, 500, 502, 503, 504])("[DLV-2] a refusal with %i is tried again", (status) => {
    expect(decideAfterAttempt(refused(status), 1, POLICY, NO_JITTER)).toEqual({ kind: "retry", delayMs: 1_000 });
  });

  it.each([
    "timeout",
    "connection",
    "redirect",
    "address_refused",
    "listener_threw",
    "worker_threw",
    "lapsed",
  ] as const)("[DLV-2] a target that is unreachable (%s) is tried again", (reason) => {
    expect(decideAfterAttempt({ kind: "unreachable", reason, excerpt: "" }, 2, POLICY, NO_JITTER)).toEqual({
      kind: "retry",
      delayMs: 60_000,
    });
  });

  it("[DLV-3] a delivery dies after its last attempt and not before", () => {
    const outcome = { kind: "unreachable", reason: "timeout", excerpt: "" } as const;
    expect(decideAfterAttempt(outcome, POLICY.maxAttempts - 1, POLICY, 0).kind).toBe("retry");
    expect(decideAfterAttempt(outcome, POLICY.maxAttempts, POLICY, 0)).toEqual({
      kind: "dead",
      reason: "attempts_exhausted",
    });
  });

  it("[TGT-1] what a consumer gives back waits for the delay that it names, else by the schedule, and dies last", () => {
    const nacked = (delayMs: number | null): AttemptOutcome => ({ kind: "nacked", delayMs, reason: "later" });
    expect(decideAfterAttempt(nacked(5), 1, POLICY, 0)).toEqual({ kind: "retry", delayMs: 5 });
    expect(decideAfterAttempt(nacked(null), 1, POLICY, NO_JITTER)).toEqual({ kind: "retry", delayMs: 1_000 });
    expect(decideAfterAttempt(nacked(5), POLICY.maxAttempts, POLICY, 0)).toMatchObject({
      reason: "attempts_exhausted",
    });
  });

  it.each(["rejected", "loop"] as const)("[TGT-1] what would never do (%s) is dead at the first attempt", (reason) => {
    const outcome: AttemptOutcome = { kind: "rejected", reason, excerpt: "" };
    expect(decideAfterAttempt(outcome, 1, { ...POLICY, retryOn4xx: true }, 0)).toEqual({ kind: "dead", reason });
  });

  it("[DLV-4] Retry-After lengthens the delay, never shortens it, and is bounded", () => {
    expect(decideAfterAttempt(refused(429, 90_000), 1, POLICY, NO_JITTER)).toEqual({ kind: "retry", delayMs: 90_000 });
    expect(decideAfterAttempt(refused(503, 10), 1, POLICY, NO_JITTER)).toEqual({ kind: "retry", delayMs: 1_000 });
    expect(decideAfterAttempt(refused(503, 10 ** 12), 1, POLICY, 0)).toEqual({
      kind: "retry",
      delayMs: LIMITS.RETRY_AFTER_MS_MAX,
    });
  });

  it("[DLV-5] 410 stops the subscription instead of burying the delivery", () => {
    expect(decideAfterAttempt({ kind: "gone" }, POLICY.maxAttempts, POLICY, 0)).toEqual({ kind: "disable" });
  });

  it("[DLV-6] what was not attempted goes back, whatever its number", () => {
    expect(decideAfterAttempt({ kind: "not_attempted" }, POLICY.maxAttempts, POLICY, 0)).toEqual({ kind: "return" });
  });

  it("[DLV-7] what retention took expires", () => {
    expect(decideAfterAttempt({ kind: "expired" }, 1, POLICY, 0)).toEqual({ kind: "expired" });
  });
});
