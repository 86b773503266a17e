/**
 * Works through one claimed dispatch: attempts at a few connections at once, and settles what came of them in small
 * portions, so that a crash repeats little. Deliveries of one lane go one after the other. The loop only: what it
 * touches are its ports.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { groupByLane } from "../core/lane.ts";
import { LIMITS } from "../core/limits.ts";
import type { ClaimedDelivery, SettleAnswer, SettledDelivery } from "../durable-objects/rpc.ts";

export interface DispatchPorts {
  /** The event's line; null when retention has taken it. Rejects when the log cannot be reached. */
  line(delivery: ClaimedDelivery): Promise<string | null>;
  /** Never longer than the subscription's timeout. */
  attempt(delivery: ClaimedDelivery, line: string): Promise<AttemptOutcome>;
  settle(outcomes: readonly SettledDelivery[], done: boolean): Promise<SettleAnswer>;
  now(): number;
  /** Calls back after so many milliseconds; answers how to forget it. */
  later(ms: number, callback: () => void): () => void;
}

/** Resolves when everything that was begun is settled, or could not be. Rejects only if the last settle does. */
export async function workDispatch(
  deliveries: readonly ClaimedDelivery[],
  timeoutMs: number,
  ports: DispatchPorts,
): Promise<void> {
  const outcomes = new SettleBuffer(ports);
  const rest = groupByLane(deliveries);
  const startedAt = ports.now();
  const connection = async (): Promise<void> => {
    // The first of each connection always begins; later ones only while they can end in time, and in the lease.
    for (let isFirst = true; !outcomes.isStopped; isFirst = false) {
      const mayBegin = isFirst || ports.now() + timeoutMs <= startedAt + LIMITS.DISPATCH_WORK_MS_MAX;
      if (!isFirst && mayBegin) await outcomes.keepLease();
      const lane = mayBegin && !outcomes.isStopped ? rest.shift() : undefined;
      if (lane === undefined) return;
      const [delivery, ...behind] = lane;
      const settled = await attemptOne(delivery!, ports);
      outcomes.add(settled);
      // Behind one that was not accepted the lane ends here: the ledger says when and with which it goes on.
      if (behind.length > 0 && mayGoOn(settled.outcome)) rest.push(behind);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.DISPATCH_CONNECTIONS_MAX, rest.length) }, connection));
  await outcomes.finish();
}

const mayGoOn = ({ kind }: AttemptOutcome): boolean => kind === "accepted" || kind === "expired";

async function attemptOne(delivery: ClaimedDelivery, ports: DispatchPorts): Promise<SettledDelivery> {
  const { source, offset } = delivery;
  const startedAt = ports.now();
  const settled = (outcome: AttemptOutcome, line: string | null): SettledDelivery => ({
    source,
    offset,
    outcome,
    startedAt,
    durationMs: ports.now() - startedAt,
    line,
  });
  let line: string | null;
  try {
    line = await ports.line(delivery);
  } catch {
    return settled({ kind: "not_attempted" }, null);
  }
  if (line === null) return settled({ kind: "expired" }, null);
  const outcome = await ports.attempt(delivery, line);
  return settled(outcome, outcome.kind === "accepted" ? null : line);
}

/** Outcomes on their way to the ledger: one settle at a time, with everything that has come since the last. */
class SettleBuffer {
  /** The ledger wants nothing more begun; what is under way is still settled. */
  isStopped = false;
  readonly #ports: DispatchPorts;
  #outcomes: SettledDelivery[] = [];
  #settling: Promise<void> = Promise.resolve();
  #forgetTimer: (() => void) | null = null;
  /** When the ledger last heard of this consumer, at the latest. */
  #heardAt: number;

  constructor(ports: DispatchPorts) {
    this.#ports = ports;
    this.#heardAt = ports.now();
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

  add(outcome: SettledDelivery): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length >= LIMITS.SETTLE_OUTCOMES_MAX) this.#flush();
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
