/**
 * Turns of those of one isolate who would only defeat each other: a few race, and whoever loses, or comes when there
 * are some already, waits for the turn. Only a courtesy: what is right is decided in the log. Nobody waits for another
 * request's promise, which might end with it: everybody looks again, the more rarely the more there are, and what a
 * request leaves behind that was cut off ends with its time.
 */
export class Turns {
  readonly #taken = new Held();
  readonly #waiting = new Held();
  readonly #racing = new Held();

  /** Whether to try at once, until `endRace`. Deadlines are milliseconds since 1970. */
  tryRace(name: string, deadline: number): boolean {
    const isWanted = this.#waiting.count(name) > 0 || this.#taken.count(name) > 0;
    if (isWanted || this.#racing.count(name) >= RACERS_MAX) return false;
    this.#racing.add(name, deadline);
    return true;
  }

  endRace(name: string, deadline: number): void {
    this.#racing.remove(name, deadline);
  }

  /** Waits for the turn and has it until `release`, or until `deadline`; false: the deadline came first. */
  async take(name: string, deadline: number): Promise<boolean> {
    this.#waiting.add(name, deadline);
    try {
      while (this.#taken.count(name) > 0) {
        if (Date.now() >= deadline) return false;
        const waitMs = Math.ceil(Math.random() * LOOK_MS_EACH * this.#waiting.count(name));
        await scheduler.wait(Math.min(waitMs, LOOK_MS_MAX));
      }
    } finally {
      this.#waiting.remove(name, deadline);
    }
    this.#taken.add(name, deadline);
    return true;
  }

  release(name: string, deadline: number): void {
    this.#taken.remove(name, deadline);
  }
}

/** How many hold something, by its name; nobody does beyond the deadline. */
class Held {
  readonly #deadlines = new Map<string, number[]>();

  add(name: string, deadline: number): void {
    this.#set(name, [...this.#of(name), deadline]);
  }

  remove(name: string, deadline: number): void {
    const held = this.#of(name);
    const at = held.indexOf(deadline); // Nowhere when its time is over; then the name goes all the same.
    this.#set(name, at < 0 ? held : held.toSpliced(at, 1));
  }

  count(name: string): number {
    return this.#of(name).length;
  }

  #of(name: string): number[] {
    return (this.#deadlines.get(name) ?? []).filter((deadline) => deadline > Date.now());
  }

  #set(name: string, held: number[]): void {
    if (held.length === 0) this.#deadlines.delete(name);
    else this.#deadlines.set(name, held);
  }
}

const RACERS_MAX = 8;

/** Of all who wait, one looks each few milliseconds. */
const LOOK_MS_EACH = 8;
const LOOK_MS_MAX = 1_000;
