import { expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { AttemptLog } from "../../src/delivery/attempt-log.ts";
import { takeCounts } from "../../src/observability/meter.ts";

it("[MET-1] counts as attempts, with how long they took, what a target was asked, and nothing that never began", () => {
  const outcomes: AttemptOutcome[] = [
    { kind: "accepted", status: 204 },
    { kind: "unreachable", reason: "timeout", excerpt: "" },
    { kind: "cancelled" },
    { kind: "expired" },
    { kind: "not_attempted" },
  ];
  takeCounts();
  const settled = outcomes.map((outcome, offset) => {
    return { source: 1, offset, outcome, startedAt: 0, durationMs: 1, line: null };
  });
  new AttemptLog({ app: "a", subscription: "s", target: "webhook" }, []).settled(settled, true);
  const counted = takeCounts();
  const attempts = counted.filter(({ name }) => name === "tidings_attempts_total");
  expect(attempts.map(({ labels, value }) => [labels["outcome"], value])).toEqual([
    ["accepted", 1],
    ["unreachable", 1],
  ]);
  const durations = counted.filter(({ name, labels }) => name.includes("duration") && labels["le"] !== "sum");
  expect(durations.reduce((sum, { value }) => sum + value, 0)).toBe(2);
});
