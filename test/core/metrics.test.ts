/** One key a series, whatever its labels say. */
import { expect, it } from "vitest";
import { seriesKey, type Labels } from "../../src/core/metrics.ts";

const keyOf = (labels: Labels): string => seriesKey("tidings_subscription_owed", labels);

it("is the same for the same labels, and another where a value looks like the next label", () => {
  expect(keyOf({ app: "a", subscription: "b" })).toBe(keyOf({ app: "a", subscription: "b" }));
  const alike: Labels[] = [
    { app: "a", subscription: "b" },
    { app: "a subscription 1 b" },
    { app: "a subscription 1 b", subscription: "" },
    { app: "a", subscription: "b " },
    { app: "1 a", subscription: "b" },
  ];
  expect(new Set(alike.map(keyOf)).size).toBe(alike.length);
});
