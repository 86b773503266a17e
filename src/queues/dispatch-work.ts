/**
 * Works through one claimed dispatch: attempts at a few connections at once, and settles what came of them in small
 * portions, so that a crash repeats little. The loop only: what it touches are its ports.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
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
  const rest = [...deliveries];
  const startedAt = ports.now();
  const lane = async (): Promise<void> => {
    // The first of each lane always begins; later ones only while they can end in time.
    for (let isFirst = true; !outcomes.isStopped; isFirst = false) {
      const mayBegin = isFirst || ports.now() + timeoutMs <= startedAt + LIMITS.DISPATCH_WORK_MS_MAX;
      const delivery = mayBegin ? rest.shift() : undefined;
      if (delivery === undefined) return;
      outcomes.add(await attemptOne(delivery, ports));
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.DISPATCH_CONNECTIONS_MAX, rest.length) }, lane));
  await outcomes.finish();
}

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

  constructor(ports: DispatchPorts) {
    this.#ports = ports;
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
      const answer = await this.#ports.settle(outcomes, false);
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
