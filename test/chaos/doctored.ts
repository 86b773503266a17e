/** A small history in which everything went well, and ways to spoil it: for the checkers' own tests. */
import { contentOf, type EventSeen, type History, type HistoryLine } from "./history.ts";

const TOPIC = "t";
const content = (number: number): string =>
  contentOf("step", keyOf(number), { number, parity: number % 2 === 0 ? "even" : "odd" });
const keyOf = (number: number): string => `k${number % 2}`;

/** The event of that number, which is also its offset. */
export const event = (number: number, more: Partial<EventSeen> = {}): EventSeen => ({
  id: `e${number}`,
  topic: TOPIC,
  partition: 0,
  offset: number,
  key: keyOf(number),
  content: content(number),
  ...more,
});

const NUMBERS = [1, 2, 3, 4];
/** Each event is published in a hundred milliseconds of its own. */
const publishedAt = (number: number): number => number * 100;
const ALL_AT = 10_000;

const publish = (number: number): HistoryLine => ({
  op: "publish",
  actor: "publisher",
  topic: TOPIC,
  at: publishedAt(number),
  until: publishedAt(number) + 50,
  outcome: "acknowledged",
  drafts: [{ id: `e${number}`, content: content(number) }],
  places: [{ partition: 0, offset: number }],
});

export const attempt = (number: number, more: Partial<Extract<HistoryLine, { op: "attempt" }>> = {}): HistoryLine => ({
  op: "attempt",
  subscription: "s",
  delivery: `msg_${number}`,
  turn: number,
  at: publishedAt(number) + 60,
  event: event(number),
  taken: true,
  unheard: false,
  ...more,
});

export const frame = (number: number, more: Partial<EventSeen> = {}): HistoryLine => ({
  op: "frame",
  reader: "r",
  at: publishedAt(number) + 60,
  event: event(number, more),
});

export const log = (numbers: readonly number[], firstHeld = 1): HistoryLine => ({
  op: "log",
  topic: TOPIC,
  at: ALL_AT,
  events: numbers.map((number) => event(number)),
  ends: [{ partition: 0, firstHeld, head: NUMBERS.length }],
});

const BOOKS = { matched: 4, delivered: 4, dead: 0, owed: 0, expired: 0, skipped: 0, discarded: 0, lag: 0 };

export const books = (more: Partial<typeof BOOKS> = {}, isAtRest = true): HistoryLine => ({
  op: "books",
  subscription: "s",
  at: ALL_AT,
  isAtRest,
  books: { ...BOOKS, ...more },
});

export const fault = (at: number, until: number, excusesRepeats = true): HistoryLine => ({
  op: "fault",
  nemesis: "kill-all",
  at,
  until,
  isKill: true,
  excusesRepeats,
});

/** Four events, published, kept, delivered and shown. */
export const GOOD: History = [
  { op: "subscription", name: "s", topic: TOPIC, at: 0, takes: "all", order: "key", isBatched: false },
  { op: "session", reader: "r", topic: TOPIC, at: 0, gaps: [], isFirst: true },
  ...NUMBERS.flatMap((number) => [publish(number), attempt(number), frame(number)]),
  log(NUMBERS),
  books(),
  { op: "letters", subscription: "s", at: ALL_AT, events: [] },
  { op: "members", channel: "presence-c", by: "the hub", at: ALL_AT, seen: ["b", "a"], present: ["a", "b"] },
  { op: "drain", at: 600, until: 700, missing: [] },
];

/** The first line that the test finds, replaced by others; none: it is taken out. */
export function replaced(test: (line: HistoryLine) => boolean, ...others: readonly HistoryLine[]): History {
  const at = GOOD.findIndex(test);
  if (at < 0) throw new Error("there is no such line to spoil");
  return GOOD.toSpliced(at, 1, ...others);
}

export const ofOp =
  (op: HistoryLine["op"], number?: number) =>
  (line: HistoryLine): boolean => {
    if (line.op !== op) return false;
    if (number === undefined) return true;
    if (line.op === "publish") return line.drafts[0]!.id === `e${number}`;
    return "event" in line && line.event.offset === number;
  };
