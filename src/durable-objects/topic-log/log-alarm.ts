/** The log's one alarm: it stands at the earliest thing due, and a burst of appends sets it once. */
import { LIMITS } from "../../core/limits.ts";
import type { Listeners } from "./listeners.ts";
import type { LogState } from "./log-state.ts";
import { isOverBounds, sweepDueAt, trimDueAt, trimDueBy } from "./trim.ts";

/** Who has something to tell the hub's own topics. */
interface Teller {
  /** When somebody has to come back, milliseconds; null: there is nothing to tell. */
  dueAt(now: number): number | null;
}

export class LogAlarm {
  readonly #storage: DurableObjectStorage;
  readonly #log: LogState;
  readonly #listeners: Listeners;
  readonly #tellers: readonly Teller[];
  /** When it is set for; null: not set, or not known since the last wake, which costs one setting too many. */
  #at: number | null = null;

  constructor(log: LogState, listeners: Listeners, tellers: readonly Teller[]) {
    this.#storage = log.storage;
    this.#log = log;
    this.#listeners = listeners;
    this.#tellers = tellers;
  }

  /** It goes off, and stands nowhere. */
  begin(): void {
    this.#at = null;
  }

  /** Never puts off one that stands sooner. */
  async set(at: number): Promise<void> {
    if (this.#at !== null && this.#at <= at) return;
    this.#at = at;
    await this.#storage.setAlarm(at);
  }

  /** After activity it stands a few seconds ahead, so that a burst costs one setting. Null: it need not move. */
  dueAfterActivity(): number | null {
    const scheduledAt = this.#log.scheduled.nextDueAt ?? Infinity;
    const isLate = this.#at === null || this.#at > Math.min(trimDueBy(this.#log), scheduledAt);
    const isQuiet = this.#listeners.isEmpty && !isOverBounds(this.#log);
    if (isQuiet) return isLate ? this.next(false) : null;
    return Math.min(Date.now() + LIMITS.TELL_AGAIN_MS, scheduledAt);
  }

  /** `more`: there is work left that is due at once. Null: nothing is due at all. */
  next(more: boolean): number | null {
    const now = Date.now();
    if (more) return now;
    const unheardAt = this.#listeners.isBehind ? now + LIMITS.TELL_AGAIN_MS : null;
    const toldAt = this.#tellers.map((teller) => teller.dueAt(now));
    const upkeepAt = [trimDueAt(this.#log), sweepDueAt(this.#log), this.#log.scheduled.nextDueAt];
    const due = [...upkeepAt, unheardAt, ...toldAt].filter((at) => at !== null);
    return due.length === 0 ? null : Math.min(...due);
  }
}
