import { expect, it } from "vitest";
import { meetsVersion, readExpectedKeyVersion } from "../../src/core/key-version.ts";

it.each<[unknown, number | "exists" | null]>([
  [0, 0],
  [7, 7],
  ["noStream", 0],
  ["exists", "exists"],
  ["any", null],
  ["0", null],
  [-1, null],
  [1.5, null],
  [2 ** 53, null],
  [null, null],
  [{}, null],
])("[ES-2] %j as an expected version is read as %j", (given, read) => {
  expect(readExpectedKeyVersion(given)).toBe(read);
});

it("[ES-2] a version is met exactly, by any event, or not looked at", () => {
  const met = [null, 0, 2, "exists" as const].map((expected) => [0, 1, 2].map((has) => meetsVersion(expected, has)));
  expect(met).toEqual([
    [true, true, true],
    [true, false, false],
    [false, false, true],
    [false, true, true],
  ]);
});
