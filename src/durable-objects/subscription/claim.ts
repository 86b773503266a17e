/** A consumer takes a dispatch: what is still open of it, for as long as the lease runs. */
import { deliveryKey } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
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
  const leaseUntil = leaseFrom(definition.timeoutMs, now);
  const mayBeHeld = !isProbe && mayBeForgotten(ledger, definition, dispatch);
  // What is forgotten must not be taken for a later claim, which counts on from the row: times are far above counts.
  const claim = mayBeHeld ? now : dispatch.claim + 1;
  takeHold(ledger, { ...dispatch, claim, leaseUntil }, mayBeHeld);
  // One at a time: the next probe waits for this one, or for the end of its lease.
  if (isProbe) ledger.watchEndpoint({ heldUntil: leaseUntil });
  const deliveries = claimedDeliveries(ledger, dispatch).slice(0, isProbe ? 1 : undefined);
  return { kind: "claimed", claim, definition, deliveries };
}

/** Longer than any one attempt, so that a consumer that lives settles within it. */
export const leaseFrom = (timeoutMs: number, now: number): number => now + timeoutMs + LIMITS.CLAIM_MARGIN_MS;

/**
 * A first claim of what nothing orders stands in memory, so that a consumer need not wait for a commit. Where the
 * object is lost before a settle or the alarm has written it, the next settle takes it up again; if the dispatch was
 * rung and claimed before that, what was under way may come twice, and of the first claim only acceptances count. Never
 * forgotten is one behind which others wait, one of a job, and one whose consumer may be ended by what it does.
 */
function mayBeForgotten(ledger: Ledger, { target }: SubscriptionDefinition, dispatch: Dispatch): boolean {
  const isFirst = dispatch.claim === 0 && dispatch.rings === 0 && !dispatch.parked;
  const isOrdered = dispatch.deliveries.some(([, , , lane]) => lane !== undefined);
  return isFirst && !isOrdered && target.kind === "webhook" && !ledger.batchDeliveries.mayHold;
}

function takeHold(ledger: Ledger, dispatch: Dispatch, inMemory: boolean): void {
  if (inMemory) ledger.dispatches.hold(dispatch);
  else ledger.dispatches.update(dispatch);
}

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
