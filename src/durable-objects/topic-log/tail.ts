/** The newest events in heap, so that telling live listeners reads no rows. Losing it costs a read, nothing else. */
import { LIMITS } from "../../core/limits.ts";

export interface TailEvent {
  readonly offset: number;
  readonly type: string;
  readonly key: string | null;
  readonly line: string;
  /** From then on it is for nobody who reads, milliseconds; null: never. */
  readonly expiresAt: number | null;
}

const EVENTS_MAX = 2_000;

export class Tail {
  #events: TailEvent[] = [];
  #bytes = 0;

  push(events: readonly TailEvent[]): void {
    // A new life begins at 1 again: what is here belongs to the one before.
    if (this.#events.length > 0 && events[0]?.offset !== this.#events.at(-1)!.offset + 1) this.#clear();
    this.#events.push(...events);
    for (const event of events) this.#bytes += event.line.length;
    let drop = 0;
    while (this.#bytes > LIMITS.PUSH_BYTES_MAX || this.#events.length - drop > EVENTS_MAX) {
      this.#bytes -= this.#events[drop]!.line.length;
      drop += 1;
    }
    if (drop > 0) this.#events.splice(0, drop);
  }

  /** Everything after `offset`, or null when the tail does not reach back that far. */
  after(offset: number): readonly TailEvent[] | null {
    const first = this.#events[0];
    if (first === undefined || first.offset > offset + 1) return null;
    return this.#events.slice(offset + 1 - first.offset);
  }

  #clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }
}
