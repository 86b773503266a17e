import { describe, expect, it } from "vitest";
import { choosePartition } from "../../src/core/routing.ts";

const byKey = (key: string, partitions: number): number => choosePartition({ id: null, key }, 0, null, 0, partitions);

describe("choosePartition", () => {
  it("[PUB-15] sends a key to the same partition in every release", () => {
    // The first three are published vectors of FNV-1a: 811c9dc5, e40c292c, bf9cf968.
    const keys = ["", "a", "foobar", "order-1", "order-2", "客户", "😀", "k".repeat(256)];
    expect(keys.map((key) => byKey(key, 64))).toEqual([5, 44, 40, 45, 52, 22, 56, 5]);
    expect(keys.map((key) => byKey(key, 7))).toEqual([2, 5, 0, 1, 0, 2, 2, 6]);
  });

  it("[PUB-15] spreads keys evenly: no partition gets twice its share", () => {
    for (const partitions of [2, 3, 8, 64]) {
      const counts = Array.from({ length: partitions }, () => 0);
      for (let index = 0; index < 64_000; index += 1) counts[byKey(`customer-${index}`, partitions)]! += 1;
      const share = 64_000 / partitions;
      expect(Math.min(...counts)).toBeGreaterThan(share / 2);
      expect(Math.max(...counts)).toBeLessThan(share * 2);
    }
  });

  it("[PUB-15] goes by the key, else the client's id, else the request's key and the index, else in turn", () => {
    const choose = (key: string | null, id: string | null, requestKey: string | null, turn: number, index = 3) =>
      choosePartition({ id, key }, index, requestKey, turn, 16);
    const turns = [0, 1, 2, 17];
    expect(new Set(turns.map((turn) => choose("k", `id-${turn}`, `r-${turn}`, turn))).size).toBe(1);
    expect(new Set(turns.map((turn) => choose(null, "id", `r-${turn}`, turn))).size).toBe(1);
    expect(new Set(turns.map((turn) => choose(null, null, "r", turn))).size).toBe(1);
    expect(new Set([1, 2, 3, 4, 5, 6].map((index) => choose(null, null, "r", 0, index))).size).toBeGreaterThan(1);
    expect(turns.map((turn) => choose(null, null, null, turn))).toEqual([3, 4, 5, 4]);
    expect(choosePartition({ id: null, key: "k" }, 5, "r", 9, 1)).toBe(0);
  });
});
