/** What the hub promises of its own speed. The bench prints whether each is met; it is a measurement, not a test. */
import type { Summary } from "./numbers.ts";

export interface Target {
  /** `ratio`: of the pairs' median; `value`: of the hub's own figure. */
  readonly of: "ratio" | "value";
  readonly bound: "at least" | "at most";
  readonly value: number;
}

const TARGETS: Readonly<Record<string, Target>> = {
  "publish-1-table events/s": { of: "ratio", bound: "at least", value: 1.5 },
  "publish-100-table events/s": { of: "ratio", bound: "at least", value: 5.0 },
  "publish-100-ids events/s": { of: "ratio", bound: "at least", value: 5.0 },
  // Object against object, as the targets were first measured; those above have the local runtime's entry before both.
  "append-1-object events/s": { of: "ratio", bound: "at least", value: 1.5 },
  "append-100-object events/s": { of: "ratio", bound: "at least", value: 5.0 },
  "append-100-object-key events/s": { of: "ratio", bound: "at least", value: 5.0 },
  "append-100-object-ids events/s": { of: "ratio", bound: "at least", value: 5.0 },
  "auth events/s": { of: "ratio", bound: "at least", value: 0.95 },
  "schema events/s": { of: "ratio", bound: "at least", value: 0.85 },
  "fanout-1000 deliveries/s": { of: "ratio", bound: "at least", value: 0.9 },
  "fanout-1000-tree deliveries/s": { of: "ratio", bound: "at least", value: 0.7 },
  "stalled-200 p99 ms": { of: "ratio", bound: "at most", value: 2.0 },
  "read events/s": { of: "ratio", bound: "at least", value: 2.0 },
  "read-table events/s": { of: "ratio", bound: "at least", value: 2.0 },
  "read-object events/s": { of: "ratio", bound: "at least", value: 2.0 },
  "webhook deliveries/s": { of: "ratio", bound: "at least", value: 0.7 },
  "webhook-signed deliveries/s": { of: "ratio", bound: "at least", value: 0.7 },
  "webhook p50 ms": { of: "ratio", bound: "at most", value: 1.5 },
  "webhook-batch deliveries/s": { of: "ratio", bound: "at least", value: 0.9 },
  "webhook-rows rows/delivery": { of: "value", bound: "at most", value: 0.1 },
  "depth-1000000 p50 ms": { of: "ratio", bound: "at most", value: 1.2 },
  "depth-300000 p50 ms": { of: "ratio", bound: "at most", value: 1.2 },
  "rows rows/event": { of: "value", bound: "at most", value: 0.05 },
  // Ahead of the peer that promises the same over HTTP (bench/peers).
  "append-1-durable-streams events/s": { of: "ratio", bound: "at least", value: 1.0 },
  "append-100-durable-streams events/s": { of: "ratio", bound: "at least", value: 1.0 },
  "read-durable-streams events/s": { of: "ratio", bound: "at least", value: 1.0 },
  "sse-20-durable-streams deliveries/s": { of: "ratio", bound: "at least", value: 1.0 },
  "sse-20-durable-streams p50 ms": { of: "ratio", bound: "at most", value: 1.0 },
};

export const targetOf = (measure: string, figure: string): Target | null => TARGETS[`${measure} ${figure}`] ?? null;

export function isMet(target: Target, figure: { readonly subject: Summary; readonly ratio: Summary | null }): boolean {
  const measured = target.of === "ratio" ? figure.ratio?.median : figure.subject.median;
  if (measured === undefined) return false;
  return target.bound === "at least" ? measured >= target.value : measured <= target.value;
}
