import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import { readOutcomes } from "../../../src/wire/native/worker-batch.ts";

describe("what a consumer answers", () => {
  it("[TGT-1] is read outcome by outcome", () => {
    const outcomes = [
      { id: "a", outcome: "delivered" },
      { id: "b", outcome: "retry", delayMs: 5, reason: "later" },
      { id: "c", outcome: "reject", reason: "never" },
      { id: "d", outcome: "retry" },
    ] as const;
    expect([...readOutcomes(outcomes).values()]).toEqual(outcomes);
  });

  it.each([
    undefined,
    null,
    5,
    "delivered",
    {},
    { outcomes: [] },
    [null, 5, "a", [], {}, { id: 5, outcome: "delivered" }],
  ])("[TGT-2] says nothing when it is %j", (answer) => expect(readOutcomes(answer).size).toBe(0));

  it("[TGT-2] says nothing of a delivery with an outcome that there is not", () => {
    const answer = [{ id: "a", outcome: "fine" }, { id: "b" }, { id: "c", outcome: "delivered", more: 1 }];
    expect([...readOutcomes(answer).values()]).toEqual([{ id: "c", outcome: "delivered" }]);
  });

  it.each<[unknown, number | undefined]>([
    [0, 0],
    [1.7, 1],
    [Infinity, LIMITS.RETRY_DELAY_MS_MAX],
    [-1, undefined],
    [Number.NaN, undefined],
    ["5", undefined],
  ])("[TGT-1] a delay of %s means %s ms", (delayMs, expected) => {
    const read = readOutcomes([{ id: "a", outcome: "retry", delayMs }]).get("a");
    expect((read as { delayMs?: number }).delayMs).toBe(expected);
  });

  it("[TGT-1] is kept by the beginning of its reason", () => {
    const read = readOutcomes([{ id: "a", outcome: "reject", reason: "x".repeat(5_000) }]).get("a");
    expect((read as { reason: string }).reason).toHaveLength(1_000);
  });
});
