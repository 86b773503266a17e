/**
 * The same time for each of many calls, watched by one timer: a timer for every call costs more than what it guards.
 * Calls end in any order; their times are up in the order in which they began.
 */
export class Timeouts {
  readonly #ms: number;
  /** In the order in which they began. */
  readonly #running = new Set<RunningCall>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** To be ended, whatever becomes of it. */
  begin(): RunningCall {
    const call = new RunningCall(Date.now() + this.#ms);
    this.#running.add(call);
    if (this.#timer === null) this.#await(call, this.#ms);
    return call;
  }

  end(call: RunningCall): void {
    this.#running.delete(call);
    if (this.#running.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer); // Or the invocation would last as long as it does.
    this.#timer = null;
  }

  #await({ endsAt }: RunningCall, ms: number): void {
    this.#timer = setTimeout(() => this.#cutUntil(endsAt), ms);
  }

  /** `until` is what the timer says, not the clock: that may have been set meanwhile. */
  #cutUntil(until: number): void {
    this.#timer = null;
    for (const call of this.#running) {
      if (call.endsAt > until) return this.#await(call, Math.min(this.#ms, call.endsAt - until));
      this.#running.delete(call);
      call.cut();
    }
  }
}

/** Its signal is aborted when its time is up. */
export class RunningCall {
  readonly endsAt: number;
  readonly #controller = new AbortController();

  constructor(endsAt: number) {
    this.endsAt = endsAt;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cut(): void {
    this.#controller.abort();
  }
}
