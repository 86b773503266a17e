/** Client events that one hub has not been sent yet: few, and the oldest give way. */
import type { RelayedEvent } from "../../core/client-event.ts";
import { LIMITS } from "../../core/limits.ts";

interface Waiting {
  readonly event: RelayedEvent;
  /** The last offset that was appended before it. */
  readonly behind: number;
}

export class RelayQueue {
  #waiting: Waiting[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The offset behind which the first one goes; undefined: none waits. */
  get behind(): number | undefined {
    return this.#waiting[0]?.behind;
  }

  add(event: RelayedEvent, behind: number): void {
    if (this.#waiting.length >= LIMITS.CLIENT_EVENTS_WAITING_MAX) this.#waiting.shift();
    this.#waiting.push({ event, behind });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Those that go behind `through`. They are given once, whatever becomes of them. */
  take(through: number): RelayedEvent[] {
    const ready = this.#waiting.filter(({ behind }) => behind <= through);
    this.#waiting = this.#waiting.slice(ready.length);
    return ready.map(({ event }) => event);
  }
}
