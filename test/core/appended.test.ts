import { expect, it } from "vitest";
import { formatAppended, parseAppended, type Appended } from "../../src/core/appended.ts";

const EVENTS: readonly Appended[] = [
  { id: "0192d5b4-0000-7000-8000-000000000000", offset: 1, keyVersion: null, duplicate: false },
  { id: 'o"dd \\ é', offset: 2, keyVersion: 7, duplicate: false },
  { id: "order-1", offset: 9_007_199_254_740_991, keyVersion: null, duplicate: true },
  { id: "later", offset: 0, keyVersion: null, duplicate: false, deliverAt: 1_795_000_000_000 },
];

it("carries what became of every event back from the log", () => {
  expect(parseAppended(formatAppended(EVENTS))).toEqual(EVENTS);
});

it("breaks rather than shift the fields of what should not hold a line break", () => {
  expect(() => parseAppended(formatAppended([{ ...EVENTS[0]!, id: "two\nlines" }]))).toThrow("invariant");
});
