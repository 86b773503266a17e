/**
 * Works through one claimed dispatch of a subscription that takes batches: one request for all of it, or as many as its
 * bytes ask for, one after the other. The loop only: what it touches are its ports.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { cutBatches } from "../core/ledger-batch.ts";
import { LIMITS } from "../core/limits.ts";
import type { BatchPolicy } from "../core/subscription.ts";
import type { ClaimedDelivery, SettledDelivery } from "../durable-objects/rpc.ts";
import type { DispatchPorts } from "./dispatch-work.ts";
import { SettleBuffer } from "./settle-buffer.ts";

export interface BatchedDelivery {
  readonly delivery: ClaimedDelivery;
  readonly line: string;
}

export interface BatchPorts extends Omit<DispatchPorts, "attempt"> {
  /** An outcome for each, in their order. Never longer than the subscription's timeout. */
  attempt(batch: readonly BatchedDelivery[]): Promise<readonly AttemptOutcome[]>;
}

/** Resolves and rejects as `workDispatch` does. */
export async function workBatches(
  deliveries: readonly ClaimedDelivery[],
  policy: BatchPolicy,
  timeoutMs: number,
  ports: BatchPorts,
): Promise<void> {
  const outcomes = new SettleBuffer(ports);
  const startedAt = ports.now();
  const ready = await readLines(deliveries, ports, outcomes);
  for (const [index, batch] of cutBatches(ready, policy).entries()) {
    const mayBegin = index === 0 || ports.now() + timeoutMs <= startedAt + LIMITS.DISPATCH_WORK_MS_MAX;
    if (index > 0 && mayBegin) await outcomes.keepLease();
    if (!mayBegin || outcomes.isStopped) break;
    const beganAt = ports.now();
    const answers = await ports.attempt(batch);
    for (const [at, { delivery, line }] of batch.entries()) {
      outcomes.add(settled(delivery, answers[at]!, line, beganAt, ports.now()));
    }
  }
  await outcomes.finish();
}

async function readLines(
  deliveries: readonly ClaimedDelivery[],
  ports: BatchPorts,
  outcomes: SettleBuffer,
): Promise<BatchedDelivery[]> {
  const ready: BatchedDelivery[] = [];
  for (const delivery of deliveries) {
    const now = ports.now();
    try {
      const line = await ports.line(delivery);
      if (line === null) outcomes.add(settled(delivery, { kind: "expired" }, null, now, now));
      else ready.push({ delivery, line });
    } catch {
      outcomes.add(settled(delivery, { kind: "not_attempted" }, null, now, now));
    }
  }
  return ready;
}

const settled = (
  { source, offset }: ClaimedDelivery,
  outcome: AttemptOutcome,
  line: string | null,
  startedAt: number,
  now: number,
): SettledDelivery => ({
  source,
  offset,
  outcome,
  startedAt,
  durationMs: now - startedAt,
  line: outcome.kind === "accepted" ? null : line,
});
