/** The checkers of the chaos suite: each is shown what it must see, and a history in which all went well. */
import { describe, expect, it } from "vitest";
import { attempt, books, event, fault, frame, GOOD, log, ofOp, replaced } from "./doctored.ts";
import type { History, HistoryLine, PublishLine } from "./history.ts";
import { CHECKERS, figuresOf, formatTable, judge, type CheckerName } from "./verdict.ts";

const published = (number: number): PublishLine => GOOD.find(ofOp("publish", number)) as PublishLine;
const unacknowledged = (number: number, outcome: "refused" | "unknown"): HistoryLine => ({
  ...published(number),
  outcome,
  places: [],
});
const isLog = ofOp("log");

const VIOLATIONS: readonly (readonly [CheckerName, string, History])[] = [
  ["lost", "an acknowledged event is not in the log", replaced(isLog, log([1, 2, 3]))],
  [
    "lost",
    "another stands in its place",
    replaced(isLog, {
      ...log([1, 2, 3]),
      events: [1, 2, 3].map((number) => event(number)).concat(event(4, { id: "x" })),
    } as HistoryLine),
  ],
  ["phantom", "the log holds what nobody published", replaced(ofOp("publish", 4))],
  ["phantom", "it was published with other content", replaced(ofOp("frame", 2), frame(2, { content: "[]" }))],
  ["phantom", "a target saw what is not in the log", replaced(isLog, log([1, 2, 3]))],
  ["phantom", "a refused event is there", replaced(ofOp("publish", 4), unacknowledged(4, "refused"))],
  ["doubled offsets", "a place has two events", [...GOOD, frame(3, { id: "e4", offset: 3 })]],
  ["doubled offsets", "an event has two places", [...GOOD, { ...published(3), places: [{ partition: 0, offset: 9 }] }]],
  ["doubled offsets", "the log has a hole", replaced(isLog, log([1, 2, 4]))],
  [
    "reordered in the log",
    "what was acknowledged first stands behind what was published later",
    replaced(ofOp("publish", 1), { ...published(1), at: 450, until: 460 }),
  ],
  ["undelivered", "an event never came", replaced(ofOp("attempt", 3))],
  ["undelivered", "it came and was not taken", replaced(ofOp("attempt", 3), attempt(3, { taken: false }))],
  ["doubled deliveries", "it was taken twice", [...GOOD, attempt(2, { turn: 9, at: 9_000 })]],
  ["doubled deliveries", "it came under two ids", [...GOOD, attempt(2, { turn: 0, taken: false, delivery: "msg_x" })]],
  [
    "doubled deliveries",
    "a fault excuses no repeat of what came long before it",
    [...GOOD, attempt(2, { turn: 9, at: 9_000 }), fault(8_000, 8_500)],
  ],
  [
    "doubled deliveries",
    "a lying queue excuses none",
    [...GOOD, attempt(2, { turn: 9, at: 400 }), fault(250, 300, false)],
  ],
  [
    "reordered deliveries",
    "a later one of its key was taken first",
    replaced(ofOp("attempt", 2), attempt(2, { turn: 8 })),
  ],
  ["wrong accounts", "one is counted twice", replaced(ofOp("books"), books({ delivered: 5, matched: 5 }))],
  ["wrong accounts", "the books do not balance at some time", [...GOOD, books({ delivered: 3 }, false)]],
  [
    "wrong accounts",
    "what retention took is not counted",
    replaced(ofOp("books"), books({ matched: 3, delivered: 3 })),
  ],
  [
    "wrong accounts",
    "a dead letter was taken",
    replaced(ofOp("letters"), { op: "letters", subscription: "s", at: 0, events: ["e2"] }),
  ],
  ["broken readings", "a frame is missing", replaced(ofOp("frame", 2))],
  ["broken readings", "the last one is missing", replaced(ofOp("frame", 4))],
  ["broken readings", "a frame comes again", [...GOOD, frame(3)]],
  [
    "untrue presence",
    "a ghost is seen",
    replaced(ofOp("members"), {
      op: "members",
      channel: "c",
      by: "x",
      at: 0,
      seen: ["a", "b", "c"],
      present: ["a", "b"],
    }),
  ],
  [
    "untrue presence",
    "a change comes out of turn",
    [...GOOD, { op: "offence", kind: "presence", at: 0, what: "out of turn" }],
  ],
  [
    "stray requests",
    "somebody else was called",
    [...GOOD, { op: "offence", kind: "stray", at: 0, what: "POST /elsewhere" }],
  ],
  ["wrong answers", "a mistake of the hub's own", [...GOOD, { op: "offence", kind: "answer", at: 0, what: "500" }]],
  [
    "undrained",
    "something is owed for too long",
    replaced(ofOp("drain"), { op: "drain", at: 0, until: null, missing: ["s"] }),
  ],
];

describe("the checkers of the chaos suite", () => {
  it("[CHAOS-2] have nothing to say of a history in which all went well", () => {
    expect(judge(GOOD)).toEqual(new Map());
  });

  it.each(VIOLATIONS)("[CHAOS-2] %s: %s", (checker, _what, history) => {
    expect(CHECKERS[checker](history)).not.toEqual([]);
  });

  it("[CHAOS-2] each is shown something that it must see", () => {
    expect(new Set(VIOLATIONS.map(([checker]) => checker))).toEqual(new Set(Object.keys(CHECKERS)));
  });

  it.each<readonly [string, History]>([
    [
      "a repeat of what its target may have kept to itself",
      [...replaced(ofOp("attempt", 2), attempt(2, { unheard: true })), attempt(2, { turn: 9 })],
    ],
    [
      "a repeat of what came shortly before the plug was pulled",
      [...GOOD, attempt(2, { turn: 9, at: 9_000 }), fault(300, 500)],
    ],
    ["an attempt that failed before", [attempt(2, { turn: 0, taken: false }), ...GOOD]],
    ["a publish that was repeated until it was answered", [unacknowledged(3, "unknown"), ...GOOD]],
    ["a repeat of what was acknowledged", [...GOOD, { ...published(2), at: 5_000, until: 5_100 }]],
    [
      "a reader that is told of what retention took",
      [
        { op: "session", reader: "late", topic: "t", at: 0, gaps: [], isFirst: true },
        { op: "session", reader: "late", topic: "t", at: 0, gaps: [{ partition: 0, firstHeld: 4 }], isFirst: false },
        { ...frame(4), reader: "late" } as HistoryLine,
        ...GOOD,
      ],
    ],
  ])("[CHAOS-2] leave alone %s", (_what, history) => {
    expect(judge(history)).toEqual(new Map());
  });

  it("[CHAOS-2] take what retention has taken for gone, where the hub counts it", () => {
    const trimmed = replaced(isLog, log([2, 3, 4], 2))
      .filter((line) => !ofOp("attempt", 1)(line))
      .map((line) => (ofOp("books")(line) ? books({ delivered: 3, expired: 1 }) : line));
    expect(judge(trimmed)).toEqual(new Map());
  });
});

it("[CHAOS-1] a run ends with its figures", () => {
  const history = [fault(150, 180), ...GOOD, fault(320, 330)];
  expect(figuresOf(history)).toEqual({
    acknowledged: 4,
    deliveries: 4,
    frames: 4,
    kills: 2,
    faults: 2,
    drainedMs: 100,
    recoveryP95Ms: 130,
  });
  const table = formatTable(history, judge(history));
  for (const row of [/acknowledged +4/, /kills +2/, /lost +0/, /drained within +0.1 s/, /recovery p95 +0.1 s/])
    expect(table).toMatch(row);
});
