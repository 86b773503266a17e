import { describe, expect, it } from "vitest";
import { LaneAdmission } from "../../src/core/lane-admission.ts";
import { allot } from "../../src/core/lane-allotment.ts";
import { groupByLane, laneOf } from "../../src/core/lane.ts";
import { LIMITS } from "../../src/core/limits.ts";

const line = (partitionkey?: string, data: unknown = {}): string => JSON.stringify({ partitionkey, data });

describe("the lane of an event", () => {
  it("[DLV-30] is its key, and an event without a key has none", () => {
    expect(laneOf(line("a"), "key")).toBe("a");
    expect(laneOf(line(), "key")).toBeNull();
    expect(laneOf(line(undefined, { partitionkey: "b" }), "key")).toBeNull();
  });

  it("[DLV-31] is the same for all where order is strict", () => {
    expect(laneOf(line("a"), "strict")).toBe(laneOf(line(), "strict"));
  });

  it("[DLV-30] groups deliveries; one without a lane stands alone, and partitions never meet", () => {
    const deliveries = [
      { source: 1, offset: 1, lane: "a" },
      { source: 1, offset: 2 },
      { source: 2, offset: 1, lane: "a" },
      { source: 1, offset: 3, lane: "a" },
      { source: 1, offset: 4 },
    ];
    expect(groupByLane(deliveries).map((group) => group.map(({ source, offset }) => [source, offset]))).toEqual([
      [[1, 1], [1, 3]], // prettier-ignore
      [[1, 2]],
      [[2, 1]],
      [[1, 4]],
    ]);
  });
});

describe("what may go now", () => {
  const admit = (room: number, waitingRoom: number, busy: string, lanes: string): string => {
    const rules = { ordering: "key", isBusy: (lane: string) => busy.includes(lane), waitingRoom } as const;
    const admission = new LaneAdmission(room, rules);
    return [...lanes].map((lane) => admission.admit(lane === "-" ? null : lane)[0]).join("");
  };

  it("[DLV-30] goes with the first of its lane, waits behind a busy one, and needs no lane", () => {
    expect(admit(10, 10, "b", "aab-ba")).toBe("ggwgwg");
  });

  it("[DLV-30] stops where there is no room, for those that go and for those that wait", () => {
    expect(admit(2, 10, "b", "abab")).toBe("gwgw");
    expect(admit(2, 10, "b", "aaa")).toBe("ggs");
    expect(admit(10, 1, "b", "bab")).toBe("wgs");
  });

  it("[DLV-30] of one lane is never more than one dispatch holds: the rest waits behind it", () => {
    const lanes = "a".repeat(LIMITS.DISPATCH_DELIVERIES_MAX + 2);
    expect(admit(1_000, 1_000, "", lanes)).toBe(`${"g".repeat(LIMITS.DISPATCH_DELIVERIES_MAX)}ww`);
  });
});

describe("dispatches", () => {
  const events = (lanes: string) =>
    [...lanes].map((lane, index) => ({ offset: index + 1, lane: lane === "-" ? null : lane }));
  const offsetsOf = (parts: readonly (readonly { readonly offset: number }[])[]) =>
    parts.map((part) => part.map(({ offset }) => offset));

  it("[DLV-30] hold what there is in order where nothing must stay together", () => {
    expect(offsetsOf(allot(events("-----"), 2))).toEqual([[1, 2], [3, 4], [5]]);
    expect(offsetsOf(allot(events("abcde"), 2))).toEqual([[1, 2], [3, 4], [5]]);
  });

  it("[DLV-30] hold all of a lane together, in order, and share the rest", () => {
    expect(offsetsOf(allot(events("abab-"), 3))).toEqual([
      [1, 3, 5],
      [2, 4],
    ]);
    expect(offsetsOf(allot(events("aaaa"), 2))).toEqual([[1, 2, 3, 4]]);
  });

  it("[DLV-30] never hold more than a dispatch may", () => {
    const parts = allot(events("a".repeat(60) + "b".repeat(60) + "c".repeat(60)), 100);
    expect(parts.map(({ length }) => length)).toEqual([60, 60, 60]);
  });
});
