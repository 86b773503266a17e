/**
 * What happened in a run, a line each, as those saw it who were outside the hub: nothing in it is the hub's own word
 * but what it answered to somebody. Times are milliseconds since 1970 by the driver's clock, which never steps.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import type { WireEvent } from "../harness/socket.ts";
import type { Books } from "../crash/delivery-checks.ts";

/** As much of an event as says which it is and what it holds. */
export interface EventSeen {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  /** Everything that its publisher said of it, as text. */
  readonly content: string;
}

export interface PublishLine {
  readonly op: "publish";
  readonly actor: string;
  readonly topic: string;
  readonly at: number;
  readonly until: number;
  /** `unknown`: it may have been appended. A publisher repeats such a request, in a line of its own. */
  readonly outcome: "acknowledged" | "unknown" | "refused";
  readonly drafts: readonly Pick<EventSeen, "id" | "content">[];
  /** In the order of the drafts; empty unless acknowledged. */
  readonly places: readonly Pick<EventSeen, "partition" | "offset">[];
}

/** One subscription's target was asked to take one event. */
export interface AttemptLine {
  readonly op: "attempt";
  readonly subscription: string;
  /** `webhook-id`, or the id of what was pulled. */
  readonly delivery: string;
  /** Counts what comes to all targets: of two attempts the earlier has the smaller. */
  readonly turn: number;
  readonly at: number;
  readonly event: EventSeen;
  readonly taken: boolean;
  /** The hub may not have heard that it was taken. */
  readonly unheard: boolean;
}

/** A reader began, or came back: from then on its frames belong to this session. */
export interface SessionLine {
  readonly op: "session";
  readonly reader: string;
  readonly topic: string;
  readonly at: number;
  /** It was told that something it asked for is not there: by partition the first offset that is. */
  readonly gaps: readonly { readonly partition: number; readonly firstHeld: number }[];
  /** It begins anew, with nothing behind it. */
  readonly isFirst: boolean;
}

export interface FrameLine {
  readonly op: "frame";
  readonly reader: string;
  readonly at: number;
  readonly event: EventSeen;
}

/** A topic as it was read at the end, or when one of its lives ended. */
export interface LogLine {
  readonly op: "log";
  readonly topic: string;
  readonly at: number;
  readonly events: readonly EventSeen[];
  /** By partition: the first offset that retention has left, and the last one given. */
  readonly ends: readonly { readonly partition: number; readonly firstHeld: number; readonly head: number }[];
}

/** What a subscription promises. It was made before the first event of its topic. */
export interface SubscriptionLine {
  readonly op: "subscription";
  readonly name: string;
  readonly topic: string;
  readonly at: number;
  readonly takes: "all" | "even";
  readonly order: "none" | "key" | "partition";
  /** One request brings several events, under an id of its own. */
  readonly isBatched: boolean;
}

/** What the hub says of a subscription while it runs, or when it is at rest. */
export interface BooksLine {
  readonly op: "books";
  readonly subscription: string;
  readonly at: number;
  readonly isAtRest: boolean;
  readonly books: Books & { readonly lag: number };
}

/** The ids of the events that are dead letters at the end. */
export interface LettersLine {
  readonly op: "letters";
  readonly subscription: string;
  readonly at: number;
  readonly events: readonly string[];
}

/** Who is present, as `by` sees it and as it is. Said when everybody has had time to hear of it. */
export interface MembersLine {
  readonly op: "members";
  readonly channel: string;
  readonly by: string;
  readonly at: number;
  readonly seen: readonly string[];
  readonly present: readonly string[];
}

/** Something that no client may see, told by who saw it. */
export interface OffenceLine {
  readonly op: "offence";
  readonly kind: "presence" | "stray" | "answer";
  readonly at: number;
  readonly what: string;
}

/** The world went wrong for a while. */
export interface FaultLine {
  readonly op: "fault";
  readonly nemesis: string;
  readonly at: number;
  readonly until: number;
  /** The plug was pulled: for this long nobody could be served. */
  readonly isKill: boolean;
  /** What targets answered meanwhile may not have been heard, or not in time. */
  readonly excusesRepeats: boolean;
}

/** Everything that was owed had arrived. `until` is null when it had not in time. */
export interface DrainLine {
  readonly op: "drain";
  readonly at: number;
  readonly until: number | null;
  readonly missing: readonly string[];
}

export type HistoryLine =
  | PublishLine
  | AttemptLine
  | SessionLine
  | FrameLine
  | LogLine
  | SubscriptionLine
  | BooksLine
  | LettersLine
  | MembersLine
  | OffenceLine
  | FaultLine
  | DrainLine;

/** In the order in which it was written down; sort by time where that matters. */
export type History = readonly HistoryLine[];

export const linesOf = <Op extends HistoryLine["op"]>(history: History, op: Op): Extract<HistoryLine, { op: Op }>[] =>
  history.filter((line): line is Extract<HistoryLine, { op: Op }> => line.op === op);

/** `partition/offset`. */
export const placeOf = ({ partition, offset }: Pick<EventSeen, "partition" | "offset">): string =>
  `${partition}/${offset}`;

export const contentOf = (type: string, key: string | null, data: unknown): string => JSON.stringify([type, key, data]);

export const seen = ({ id, topic, partition, offset, partitionkey, type, data }: WireEvent): EventSeen => {
  const key = partitionkey ?? null;
  return { id, topic, partition, offset, key, content: contentOf(type, key, data) };
};

/** Keeps the lines, and writes each to a file where one is given: of a run that breaks off the file remains. */
export class HistoryLog {
  readonly lines: HistoryLine[] = [];
  readonly #path: string | null;

  constructor(path: string | null = null) {
    this.#path = path;
    if (path !== null) writeFileSync(path, "");
  }

  add(line: HistoryLine): void {
    this.lines.push(line);
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}
