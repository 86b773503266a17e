/** A consumer takes a dispatch: what is still open of it, for as long as the lease runs. */
import { deliveryKey } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import type { ClaimAnswer, ClaimedDelivery } from "../rpc.ts";
import { isCancelledJob } from "./batch-deliveries.ts";
import type { Dispatch } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";

/** One transaction. A lease that has run out is the alarm's to end, so that every lapse is counted. */
export function claimDispatch(ledger: Ledger, id: number, now: number): ClaimAnswer {
  const { definition } = ledger;
  const dispatch = ledger.isRunning && !ledger.isPulled ? ledger.dispatches.get(id) : null;
  if (definition === null || dispatch === null || dispatch.leaseUntil > 0) return { kind: "nothing" };
  const isProbe = ledger.heldUntil !== null;
  if (isProbe && now < ledger.heldUntil!) return { kind: "nothing" };
  const claim = dispatch.claim + 1;
  const leaseUntil = leaseFrom(definition.timeoutMs, now);
  ledger.dispatches.update({ ...dispatch, claim, leaseUntil });
  // One at a time: the next probe waits for this one, or for the end of its lease.
  if (isProbe) ledger.watchEndpoint({ heldUntil: leaseUntil });
  const deliveries = claimedDeliveries(ledger, dispatch).slice(0, isProbe ? 1 : undefined);
  return { kind: "claimed", claim, definition, deliveries };
}

/** Longer than any one attempt, so that a consumer that lives settles within it. */
export const leaseFrom = (timeoutMs: number, now: number): number => now + timeoutMs + LIMITS.CLAIM_MARGIN_MS;

function claimedDeliveries(ledger: Ledger, dispatch: Dispatch): ClaimedDelivery[] {
  const ids = new Set(dispatch.deliveries.map(([source]) => source));
  const sources = new Map([...ids].map((id) => [id, ledger.sources.get(id)!]));
  return dispatch.deliveries.map(([source, offset, attempt, lane]) => {
    const { topic, partition, epoch, replay } = sources.get(source)!;
    const retry = dispatch.parked ? ledger.retries.get({ source, offset }) : null;
    return {
      id: deliveryKey(ledger.subscriptionId, source, offset),
      source,
      topic,
      partition,
      epoch,
      offset,
      attempt,
      redrive: replay > 0 || (retry?.redrive ?? false),
      line: retry?.line ?? null,
      ...(lane !== undefined && { lane }),
      ...(isCancelledJob(ledger, { source, offset }) && { cancelled: true as const }),
    };
  });
}
