/** The checkers of the acceptance test of delivery, each shown what it must see and what it must leave alone. */
import { describe, expect, it } from "vitest";
import type { Attempt, Stories } from "../builders/delivery-recorder.ts";
import type { WireEvent } from "../harness/socket.ts";
import {
  attemptedAfter,
  earlyAttempts,
  isBalanced,
  outOfOrder,
  renamed,
  unexplainedRepeats,
  wrongBooks,
} from "./delivery-checks.ts";

const attempt = (turn: number, more: Partial<Attempt> = {}): Attempt => ({
  fate: "taken",
  turn,
  at: turn * 1_000,
  answeredAt: turn * 1_000 + 5,
  wasCut: false,
  ...more,
});

/** Events of one lane, numbered from 1 as in the log. */
const stories = (...attempts: readonly (readonly Attempt[])[]): Stories =>
  new Map(
    attempts.map((made, index) => {
      const event = { id: `e${index + 1}`, partition: 0, offset: index + 1 } as WireEvent;
      return [event.id, { event, ids: new Set([`msg_${event.id}`]), attempts: [...made] }];
    }),
  );

const lane = (): string => "all";
const books = { matched: 2, delivered: 2, dead: 0, owed: 0, expired: 0, skipped: 0, discarded: 0 };
const both = new Set(["e1", "e2"]);

describe("books", () => {
  it("balance when every part is counted, and not when one is missing", () => {
    expect(isBalanced({ ...books, matched: 7, dead: 1, owed: 1, expired: 1, skipped: 1, discarded: 1 })).toBe(true);
    expect(isBalanced({ ...books, matched: 3 })).toBe(false);
  });

  it("are right when what was taken is delivered and what was not is dead", () => {
    const failed = attempt(2, { fate: "failed" });
    expect(wrongBooks(both, stories([attempt(1)], [failed]), { ...books, delivered: 1, dead: 1 }, ["e2"])).toEqual([]);
  });

  it.each([
    ["an event is lost", stories([attempt(1)]), { ...books, delivered: 1 }, [], ["e2 is lost"]],
    ["one is counted twice", stories([attempt(1)], [attempt(2)]), { ...books, delivered: 3 }, [], ["delivered is 3"]],
    ["one is still owed", stories([attempt(1)], [attempt(2)]), { ...books, owed: 1 }, [], ["owed is 1 and not 0"]],
    ["a dead one was taken", stories([attempt(1)], [attempt(2)]), { ...books, dead: 1 }, ["e2"], ["e2 was taken"]],
    [
      "a letter stands twice",
      stories([attempt(1)]),
      { ...books, delivered: 1, dead: 1 },
      ["e2", "e2"],
      ["letters is 2"],
    ],
    ["a stranger came", stories([attempt(1)], [attempt(2)], [attempt(3)]), books, [], ["e3 was not for it"]],
  ])("are wrong when %s", (_what, told, said, dead, complaints) => {
    const found = wrongBooks(both, told, said, dead);
    for (const complaint of complaints) expect(found.join("; ")).toContain(complaint);
  });
});

describe("order", () => {
  it("is that of first successes, whatever failed before and came again after", () => {
    const first = [attempt(1, { fate: "failed" }), attempt(3), attempt(6)];
    expect(outOfOrder(stories(first, [attempt(4)], [attempt(5)]), lane)).toEqual([]);
  });

  it("is broken by one that overtakes", () => {
    const first = [attempt(1, { fate: "failed" }), attempt(3)];
    expect(outOfOrder(stories(first, [attempt(2)]), lane)).toEqual(["in lane all 1 came late"]);
  });

  it("is nobody's business between lanes", () => {
    expect(outOfOrder(stories([attempt(2)], [attempt(1)]), ({ id }) => id)).toEqual([]);
  });
});

describe("repeats", () => {
  const outage = { from: 10_000, until: 10_500 };

  it.each([
    ["cut after its success", attempt(1, { fate: "cut" })],
    ["hung up on", attempt(1, { wasCut: true })],
    ["among the last before the plug was pulled", attempt(9)],
    ["not taken", attempt(1, { fate: "busy" })],
  ])("are explained after an attempt that was %s", (_what, before) => {
    expect(unexplainedRepeats(stories([before, attempt(20)], [attempt(8)]), [outage], 1)).toEqual([]);
  });

  it("are not explained when the hub must have heard", () => {
    const long = stories([attempt(1), attempt(20)], [attempt(2)], [attempt(3)]);
    expect(unexplainedRepeats(long, [outage], 2)).toEqual(["e1 came again after turn 1"]);
    expect(unexplainedRepeats(long, [outage], 3)).toEqual([]);
    expect(unexplainedRepeats(stories([attempt(11), attempt(20)]), [outage], 100)).toHaveLength(1);
    expect(unexplainedRepeats(stories([attempt(1), attempt(2)]), [outage], 100)).toHaveLength(1);
  });

  it("keep their id", () => {
    const told = stories([attempt(1)], [attempt(2)]);
    expect(renamed(told)).toEqual([]);
    told.get("e2")!.ids.add("msg_other");
    expect(renamed(told)).toEqual(["e2"]);
  });
});

describe("delays", () => {
  const gap = (fate: Attempt["fate"], waitedMs: number, more: Partial<Attempt> = {}): Stories => {
    const before = attempt(1, { fate, ...more });
    return stories([before, attempt(2, { at: before.at + 5 + waitedMs })]);
  };

  it("may be a fifth shorter than their step, and as long as they like", () => {
    expect(earlyAttempts(gap("failed", 160), [200])).toEqual([]);
    expect(earlyAttempts(gap("failed", 60_000), [200])).toEqual([]);
    expect(earlyAttempts(gap("failed", 150), [200])).toEqual([
      "e1: attempt 2 came 150 ms after one that was failed, and not 160",
    ]);
  });

  it("count from the target's own note where the caller gave up, which may come late", () => {
    expect(earlyAttempts(gap("hung", 100), [200])).toEqual([]);
    expect(earlyAttempts(gap("hung", 50), [200])).toHaveLength(1);
  });

  it("are those of the attempt that they follow", () => {
    const made = [1, 2, 3].map((turn) => attempt(turn, { fate: "failed", at: turn * 1_000, answeredAt: turn * 1_000 }));
    expect(earlyAttempts(stories(made), [100, 1_200])).toEqual([]);
    expect(earlyAttempts(stories(made), [100, 1_300])).toHaveLength(1);
  });

  it("are at least what a busy target asked for", () => {
    expect(earlyAttempts(gap("busy", 1_000), [200])).toEqual([]);
    expect(earlyAttempts(gap("busy", 990), [200])).toHaveLength(1);
  });

  it("are promised to retries only", () => {
    expect(earlyAttempts(gap("taken", 1), [200])).toEqual([]);
    expect(earlyAttempts(gap("hung", 1, { answeredAt: null }), [200])).toEqual([]);
  });

  it("end where none was to come any more", () => {
    expect(attemptedAfter(stories([attempt(1)], [attempt(2), attempt(5)]), 2_000)).toEqual(["e2"]);
  });
});
