import { describe, expect, it } from "vitest";
import { judgeBatchAnswer } from "../../src/core/batch-answer.ts";
import { batchRoom, cutBatches, isBatchFull } from "../../src/core/ledger-batch.ts";

const POLICY = { maxEvents: 3, maxBytes: 10, maxWaitMs: 1 };
const cut = (...sizes: readonly number[]): number[][] =>
  cutBatches(
    sizes.map((size) => ({ line: "x".repeat(size) })),
    POLICY,
  ).map((batch) => batch.map(({ line }) => line.length));

describe("batches", () => {
  it("[DLV-37] are cut by count and by bytes, in order; what is too large goes alone", () => {
    expect(cut()).toEqual([]);
    expect(cut(1, 2, 3, 4)).toEqual([[1, 2, 3], [4]]);
    expect(cut(5, 5, 1)).toEqual([[5, 5], [1]]);
    expect(cut(1, 50, 1)).toEqual([[1], [50], [1]]);
    expect(cutBatches([{ line: "ééééé" }, { line: "x" }], POLICY)).toHaveLength(2);
  });

  it("[DLV-37] are full by either, and their room is counted in whole ones", () => {
    expect(isBatchFull({ events: 3, bytes: 0 }, POLICY)).toBe(true);
    expect(isBatchFull({ events: 1, bytes: 10 }, POLICY)).toBe(true);
    expect(isBatchFull({ events: 2, bytes: 9 }, POLICY)).toBe(false);
    expect([batchRoom(10, 0, POLICY), batchRoom(10, 5, POLICY), batchRoom(10, 9, POLICY)]).toEqual([9, 3, 0]);
  });
});

describe("an answer to a batch", () => {
  const batch = ["a", "b", "c"].map((id) => ({ id: `msg_s_1_${id}`, line: JSON.stringify({ id }) }));
  const judge = (answer: unknown) =>
    judgeBatchAnswer(typeof answer === "string" ? answer : JSON.stringify(answer), batch);

  it.each<[string, unknown]>([
    ["nothing", ""],
    ["text", "ok"],
    ["a page", "<html>"],
    ["another object", { ok: true }],
    ["null", null],
    ["no list", { failed: 5 }],
    ["an empty list", { failed: [] }],
  ])("[DLV-39] with %s takes all of it", (_name, answer) => {
    expect(judge(answer)).toEqual([null, null, null]);
  });

  it("[DLV-39] names those that failed by delivery or by event, each with its reason", () => {
    expect(judge({ failed: [{ id: "msg_s_1_a", reason: "late" }, { id: "c" }] })).toEqual(["late", null, ""]);
  });

  it.each<[string, unknown]>([
    ["a stranger", { failed: [{ id: "a" }, { id: "z" }] }],
    ["no id", { failed: [{ reason: "?" }] }],
    ["no entry", { failed: [null] }],
    ["a number", { failed: [{ id: 7 }] }],
  ])("[DLV-39] with %s among the failed takes nothing", (_name, answer) => {
    expect(judge(answer)).not.toContain(null);
  });
});
