import { expect, it } from "vitest";
import { SAME_INSTANT_MS, startInTopic } from "../../src/core/subscription.ts";

const latest = { kind: "latest", since: 1_000 } as const;

it("[TOP-9] a subscription to the latest begins after the moment it was asked for", () => {
  expect(startInTopic(latest, 1_000 - SAME_INSTANT_MS - 1)).toEqual({ kind: "time", at: 1_001 });
});

it.each([0, 1, SAME_INSTANT_MS, -1, -60_000])(
  "[TOP-9] and at the first event of a topic born %i ms before that moment, or after it",
  (msBefore) => {
    expect(startInTopic(latest, 1_000 - msBefore)).toEqual({ kind: "earliest" });
  },
);

it("[TOP-9] a start that was named stays what it is", () => {
  expect(startInTopic({ kind: "time", at: 1_000 }, 999)).toEqual({ kind: "time", at: 1_000 });
  expect(startInTopic({ kind: "earliest" }, 1)).toEqual({ kind: "earliest" });
});
