/**
 * The log's lines for operators: what was appended, and who was told. A line costs as much as a small event, so commits
 * of one second share one; their offsets follow on one another, so every event is in a line.
 */
import { LIMITS } from "../../core/limits.ts";
import { traceIdIn } from "../../core/trace-context.ts";
import { logStage } from "../../observability/log.ts";
import { Paced } from "../../observability/paced.ts";
import type { LogState } from "./log-state.ts";
import type { TailEvent } from "./tail.ts";

interface Appended {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly commits: number;
  readonly count: number;
  /** Of all of them; null: of none, or not of all. */
  readonly traceId: string | null;
}

interface FannedOut {
  /** From the commit until its pushes had ended, the longest. */
  readonly longestMs: number;
  readonly traceId: string | null;
}

/** How many are told of events, and how many of them have not been told of all. */
export interface Told {
  readonly listeners: number;
  readonly behind: number;
}

export class StageLines {
  readonly #log: LogState;
  readonly #listeners: { readonly isEmpty: boolean; readonly told: Told };
  readonly #appendedLine = new Paced(LIMITS.LOG_LINE_APART_MS, () => this.#logAppended());
  readonly #fannedOutLine = new Paced(LIMITS.LOG_LINE_APART_MS, () => this.#logFannedOut());
  #appended: Appended | null = null;
  #fannedOut: FannedOut | null = null;

  constructor(log: LogState, listeners: { readonly isEmpty: boolean; readonly told: Told }) {
    this.#log = log;
    this.#listeners = listeners;
  }

  /** One commit; `pushed`: when its pushes have ended, well or badly. */
  appended(events: readonly TailEvent[], pushed: Promise<void>): void {
    const startedAt = Date.now();
    const traceId = traceOf(events);
    this.#add(events, traceId);
    this.#appendedLine.due();
    if (this.#listeners.isEmpty) return;
    void pushed.then(() => {
      const before = this.#fannedOut ?? { longestMs: 0, traceId };
      const longestMs = Math.max(before.longestMs, Date.now() - startedAt);
      this.#fannedOut = { longestMs, traceId: before.traceId === traceId ? traceId : null };
      this.#fannedOutLine.due();
    });
  }

  #add(events: readonly TailEvent[], traceId: string | null): void {
    const [firstOffset, lastOffset] = [events[0]!.offset, events.at(-1)!.offset];
    if (this.#appended !== null && this.#appended.lastOffset + 1 !== firstOffset) this.#logAppended(); // A life ended.
    const before = this.#appended ?? { firstOffset, commits: 0, count: 0, traceId };
    this.#appended = {
      firstOffset: before.firstOffset,
      lastOffset,
      commits: before.commits + 1,
      count: before.count + events.length,
      traceId: before.traceId === traceId ? traceId : null,
    };
  }

  #logAppended(): void {
    if (this.#appended === null) return;
    const { firstOffset, lastOffset, commits, count, traceId } = this.#appended;
    this.#appended = null;
    const range = { first_offset: firstOffset, last_offset: lastOffset };
    logStage("event.appended", { ...this.#place(), ...range, commits, count, trace_id: traceId });
  }

  #logFannedOut(): void {
    if (this.#fannedOut === null) return;
    const { longestMs, traceId } = this.#fannedOut;
    this.#fannedOut = null;
    const told = { last_offset: this.#log.ends.head, ...this.#listeners.told };
    logStage("event.fanned_out", { ...this.#place(), ...told, duration_ms: longestMs, trace_id: traceId });
  }

  #place() {
    const { app, topic, partition } = this.#log;
    return { app, topic, partition };
  }
}

/** Most events have none, and then only the first is looked at. */
function traceOf(events: readonly TailEvent[]): string | null {
  const first = traceIdIn(events[0]!.line);
  return first !== null && events.every(({ line }) => traceIdIn(line) === first) ? first : null;
}
