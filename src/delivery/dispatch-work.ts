/**
 * Works through one claimed dispatch: attempts at a few connections at once, and settles what came of them in small
 * portions, so that a crash repeats little. Deliveries of one lane go one after the other. The loop only: what it
 * touches are its ports.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { groupByLane } from "../core/lane.ts";
import { LIMITS } from "../core/limits.ts";
import type { ClaimedDelivery, SettledDelivery } from "../durable-objects/rpc.ts";
import { SettleBuffer, type SettlePorts } from "./settle-buffer.ts";

export interface DispatchPorts extends SettlePorts {
  /** The event's line; null when retention has taken it or it has expired. Rejects when the log cannot be reached. */
  line(delivery: ClaimedDelivery): Promise<string | null>;
  /** Never longer than the subscription's timeout. */
  attempt(delivery: ClaimedDelivery, line: string): Promise<AttemptOutcome>;
}

/** Resolves when everything that was begun is settled, or could not be. Rejects only if the last settle does. */
export async function workDispatch(
  deliveries: readonly ClaimedDelivery[],
  timeoutMs: number,
  ports: DispatchPorts,
): Promise<void> {
  const outcomes = new SettleBuffer(ports);
  const rest = groupByLane(deliveries);
  let left = deliveries.length;
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
      left -= 1;
      outcomes.add(settled, left === 0);
      // Behind one that was not accepted the lane ends here: the ledger says when and with which it goes on.
      if (behind.length > 0 && mayGoOn(settled.outcome)) rest.push(behind);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMITS.DISPATCH_CONNECTIONS_MAX, rest.length) }, connection));
  await outcomes.finish();
}

const mayGoOn = ({ kind }: AttemptOutcome): boolean =>
  kind === "accepted" || kind === "expired" || kind === "cancelled";

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
