import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { graceAfterClose, judgeAnswer, judgeQuiet, signedInPlan, silencePlan } from "../../src/core/silence.ts";

const plan = silencePlan(LIMITS.PRESENCE_SILENCE_MS);

describe("silence", () => {
  it("[PRE-7] of a member is found by one round of questions a minute, within 75 s", () => {
    expect(plan.lookMs).toBe(60_000);
    expect(plan.quietMs + plan.lookMs + plan.answerMs).toBeLessThan(75_000);
    expect(plan.answerMs).toBeLessThan(10_000); // The same wake: the runtime waits so long.
    expect(plan.leaseMs).toBeGreaterThan(2 * plan.lookMs);
  });

  it("[PUS-24] of who is only signed in is found within eight minutes, and who pings every two is not asked", () => {
    const { quietMs, silentMs, lookMs, answerMs, leaseMs } = signedInPlan(LIMITS.PRESENCE_SILENCE_MS);
    expect([lookMs, leaseMs]).toEqual([300_000, Infinity]);
    expect(quietMs).toBeGreaterThanOrEqual(LIMITS.PUSHER_ACTIVITY_MS + 30_000);
    expect(silentMs).toBeGreaterThan(quietMs + answerMs);
    expect(quietMs + lookMs + Math.max(answerMs, silentMs - quietMs)).toBeLessThanOrEqual(480_000);
  });

  const watch = (lastSignAt: number, pingEveryMs: number, answers: boolean): number | null => {
    for (let askedAt = 60_000, heardAt = 0; askedAt < 600_000; askedAt += plan.lookMs) {
      const sign = (now: number) => {
        const until = Math.min(now, lastSignAt);
        heardAt = Math.max(heardAt, until - (until % pingEveryMs));
        if (answers && lastSignAt > askedAt && now > askedAt) heardAt = Math.max(heardAt, askedAt + 1);
        return heardAt;
      };
      if (judgeQuiet(sign(askedAt), askedAt, plan).kind === "heard") continue;
      for (let now = askedAt + plan.answerMs; now < askedAt + plan.lookMs;) {
        const verdict = judgeAnswer(sign(now), askedAt, now, plan);
        if (verdict.kind === "gone") return now;
        if (verdict.kind !== "wait") break;
        now = verdict.until;
      }
    }
    return null;
  };

  it("[PRE-7] is no silence of who pings within 30 s, or who answers", () => {
    for (const every of [5_000, 12_000, 25_000, 29_900]) expect(watch(Infinity, every, false)).toBeNull();
    expect(watch(Infinity, 1e9, true)).toBeNull();
    expect(watch(Infinity, 120_000, false)).not.toBeNull();
  });

  it("[PRE-7] is bounded, whenever it begins", () => {
    for (let last = 0; last < 200_000; last += 700) {
      for (const every of [1_000, 25_000, 1e9]) {
        const goneAt = watch(last, every, true)!;
        expect(goneAt - last).toBeLessThan(75_000);
      }
    }
  });

  it.each([
    [1_000, 1],
    [1_001, 1],
    [1_005, 1],
    [1_006, 3],
    [1_011, 3],
    [4_008, 1],
    [4_401, 0],
    [4_501, 0],
  ])("[PRE-3] a close with %i leaves %i s to return", (code, seconds) => {
    expect(graceAfterClose(code, { clean: 1, reset: 3 })).toBe(seconds);
  });
});
