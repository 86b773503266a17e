/** Runs what sums up a stage at once, and then at most once in so long, with the last word said as well. */
export class Paced {
  readonly #apartMs: number;
  readonly #run: () => void;
  #ranAt = 0;
  #isSet = false;

  constructor(apartMs: number, run: () => void) {
    this.#apartMs = apartMs;
    this.#run = run;
  }

  /** There is something to tell. What is set dies with the isolate, and so does what it would have told. */
  due(): void {
    if (this.#isSet) return;
    const waitMs = Math.min(this.#ranAt + this.#apartMs - Date.now(), this.#apartMs);
    if (waitMs <= 0) return this.#runNow();
    this.#isSet = true;
    setTimeout(() => this.#runNow(), waitMs);
  }

  #runNow(): void {
    this.#isSet = false;
    this.#ranAt = Date.now();
    this.#run();
  }
}
