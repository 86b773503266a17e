/** What has arrived at a crowd of readers: how many events, how late each was, and no more than were due. */
import { scanEvents } from "./events.ts";

const PATIENCE_MS = 60_000;

/** Many readers of one topic, counted and timed together. */
export interface Audience {
  readonly size: number;
  /** Forgets what was counted so far. */
  reset(): void;
  /** Waits until exactly so many events have arrived since `reset`, over all readers; answers publish→reader times. */
  received(events: number): Promise<readonly number[]>;
  close(): void;
}

export class Arrivals {
  #latenciesMs: number[] = [];
  #events = 0;
  #failure: Error | null = null;
  #changed: () => void = () => undefined;

  reset(): void {
    this.#events = 0;
    this.#latenciesMs = [];
  }

  /** Counts the events of a text that arrived at `now`; answers how many there were. */
  take(text: Buffer, now: number): number {
    const events = scanEvents(text, (sentAt) => this.#latenciesMs.push(now - sentAt));
    this.#events += events;
    return events;
  }

  /** Ends the wait: once for all that was read of the network together, not for each event. */
  wake(): void {
    this.#changed();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#changed();
  }

  async received(events: number): Promise<readonly number[]> {
    const deadline = setTimeout(() => {
      this.fail(new Error(`${this.#events} of ${events} deliveries arrived within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    try {
      while (this.#events < events) {
        if (this.#failure !== null) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
      if (this.#events > events) throw new Error(`${this.#events} deliveries arrived where ${events} were due`);
      return this.#latenciesMs;
    } finally {
      clearTimeout(deadline);
    }
  }
}
