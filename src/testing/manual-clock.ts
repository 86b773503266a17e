/** Time that moves when a test says so. */
import type { Clock } from "../client/platform.ts";

export class ManualClock implements Clock {
  /** What `random` answers. */
  chance = 0.5;
  #now = 1_000_000;
  #timers: { readonly at: number; readonly work: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How long until each timer, milliseconds. */
  get waits(): number[] {
    return this.#timers.map(({ at }) => at - this.#now);
  }

  /** Runs what is due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).toSorted((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Time passes, and no timer runs: the machine sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}

/** Lets promises that wait for nothing go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
