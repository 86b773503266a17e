/**
 * Turns of those of one isolate who have lost a race before, so that they do not go on defeating each other. Only a
 * courtesy: what is right is decided in the log. Nobody waits for another request's promise, which might end with it;
 * everybody looks again, the more rarely the more there are.
 */
export class Turns {
  /** By name: until when somebody may have the turn, milliseconds. */
  readonly #takenUntil = new Map<string, number>();
  readonly #waiting = new Map<string, number>();

  /** Waits for the turn and has it until `release`, or until `deadline`; false: the deadline came first. */
  async take(name: string, deadline: number): Promise<boolean> {
    this.#count(name, 1);
    try {
      while ((this.#takenUntil.get(name) ?? 0) > Date.now()) {
        if (Date.now() >= deadline) return false;
        const waitMs = Math.ceil(Math.random() * LOOK_MS_EACH * this.#waiting.get(name)!);
        await scheduler.wait(Math.min(waitMs, LOOK_MS_MAX));
      }
    } finally {
      this.#count(name, -1);
    }
    this.#takenUntil.set(name, deadline);
    return true;
  }

  /** Whether somebody has the turn or waits for it. */
  isWanted(name: string): boolean {
    return this.#waiting.has(name) || (this.#takenUntil.get(name) ?? 0) > Date.now();
  }

  release(name: string): void {
    this.#takenUntil.delete(name);
  }

  #count(name: string, more: number): void {
    const waiting = (this.#waiting.get(name) ?? 0) + more;
    if (waiting === 0) this.#waiting.delete(name);
    else this.#waiting.set(name, waiting);
  }
}

/** Of all who wait, one looks each few milliseconds. */
const LOOK_MS_EACH = 8;
const LOOK_MS_MAX = 1_000;
