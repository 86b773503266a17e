/**
 * Outcomes on their way to the ledger: one settle at a time, with everything that has come since the last. A settle
 * costs the ledger a row and a commit, and what waits for one is delivered twice if the machine dies: so they go in
 * portions of SETTLE_OUTCOMES, and those of a fast target in portions of SETTLE_APART_MS.
 */
import { LIMITS } from "../core/limits.ts";
import type { SettleAnswer, SettledDelivery } from "../durable-objects/rpc.ts";

export interface SettlePorts {
  settle(outcomes: readonly SettledDelivery[], done: boolean): Promise<SettleAnswer>;
  now(): number;
  /** Calls back after so many milliseconds; answers how to forget it. */
  later(ms: number, callback: () => void): () => void;
}

export class SettleBuffer {
  /** The ledger wants nothing more begun; what is under way is still settled. */
  isStopped = false;
  readonly #ports: SettlePorts;
  #outcomes: SettledDelivery[] = [];
  #settling: Promise<void> = Promise.resolve();
  #forgetTimer: (() => void) | null = null;
  /** When the ledger last heard of this consumer, at the latest. */
  #heardAt: number;
  /** When outcomes last went to the ledger, or the work began. */
  #sentAt: number;

  constructor(ports: SettlePorts) {
    this.#ports = ports;
    this.#heardAt = ports.now();
    this.#sentAt = this.#heardAt;
  }

  /**
   * Resolves when the lease is sure to cover one more attempt. A consumer that the ledger has not heard of for too long
   * stops, because another may have its deliveries by now.
   */
  async keepLease(): Promise<void> {
    if (this.#isLeaseFresh()) return;
    this.#flush();
    await this.#settling;
    if (!this.#isLeaseFresh()) this.isStopped = true;
  }

  #isLeaseFresh(): boolean {
    return this.#ports.now() < this.#heardAt + LIMITS.CLAIM_MARGIN_MS / 2;
  }

  /** `isLast`: the rest is given back at once, and this with it. */
  add(outcome: SettledDelivery, isLast = false): void {
    this.#outcomes.push(outcome);
    if (isLast) return;
    const isPortion = this.#outcomes.length >= LIMITS.SETTLE_OUTCOMES;
    if (isPortion && this.#ports.now() >= this.#sentAt + LIMITS.SETTLE_APART_MS) this.#flush();
    else this.#forgetTimer ??= this.#ports.later(LIMITS.SETTLE_INTERVAL_MS, () => this.#flush());
  }

  /** Gives the rest back, and tries twice: what is not settled now waits for the lease to end, and goes out again. */
  async finish(): Promise<void> {
    this.#clearTimer();
    await this.#settling;
    const outcomes = this.#take();
    try {
      await this.#ports.settle(outcomes, true);
    } catch {
      await this.#ports.settle(outcomes, true);
    }
  }

  #flush(): void {
    this.#clearTimer();
    this.#sentAt = this.#ports.now();
    this.#settling = this.#settling.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const outcomes = this.#take();
    if (outcomes.length === 0) return;
    try {
      const heardAt = this.#ports.now();
      const answer = await this.#ports.settle(outcomes, false);
      this.#heardAt = heardAt;
      if (!answer.continue) this.isStopped = true;
    } catch {
      // Perhaps they arrived: the ledger takes each outcome once, so they simply go with the next.
      this.#outcomes = [...outcomes, ...this.#outcomes];
    }
  }

  #take(): SettledDelivery[] {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    return outcomes;
  }

  #clearTimer(): void {
    this.#forgetTimer?.();
    this.#forgetTimer = null;
  }
}
