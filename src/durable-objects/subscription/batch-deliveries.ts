/** Deliveries that are jobs: noted when they are examined, ended in the transaction in which their delivery is. */
import type { DeliveryDecision } from "../../core/delivery-decision.ts";
import { jobOfLine, subscriptionOfBatch } from "../../core/job-batch.ts";
import { placeKey } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import type { TakenEvent } from "../../core/ledger-take.ts";
import type { HeldJobs } from "../rpc/batch.ts";
import type { Ledger } from "./ledger.ts";
import { giveUp } from "./passed-over.ts";

/** In the transaction in which the ledger begins to owe them. Jobs that count on other subscriptions are none here. */
export function noteJobs(ledger: Ledger, source: number, events: readonly TakenEvent[]): void {
  for (const { offset, line } of events) {
    const job = jobOfLine(line);
    if (job === null || subscriptionOfBatch(job.batch) !== ledger.subscriptionId) continue;
    ledger.batchDeliveries.insert({ source, offset, ...job });
  }
}

/** What is decided of a delivery, if it is a job: of a batch that was cancelled nothing is tried again. */
export function decideForJob(ledger: Ledger, place: DeliveryPlace, decision: DeliveryDecision): DeliveryDecision {
  const job = ledger.batchDeliveries.get(place);
  if (job === null) return decision;
  const isInVain = decision.kind === "retry" && ledger.batchDeliveries.isCancelled(job.batch);
  const decided: DeliveryDecision = isInVain ? { kind: "cancelled" } : decision;
  if (decided.kind === "delivered") ledger.batchDeliveries.end(place, "completed", null);
  if (decided.kind === "cancelled") ledger.batchDeliveries.end(place, "cancelled", null);
  if (decided.kind === "dead") ledger.batchDeliveries.end(place, "failed", decided.reason);
  if (decided.kind === "expired") ledger.batchDeliveries.end(place, "failed", "expired");
  return decided;
}

/** Known here for longer than the batch itself stands. */
export function isCancelledJob(ledger: Ledger, place: DeliveryPlace): boolean {
  const job = ledger.batchDeliveries.get(place);
  return job !== null && ledger.batchDeliveries.isCancelled(job.batch);
}

/** Likewise of an event that need not be owed any more. `line`: as it stands in its log. */
export function isOfCancelledBatch(ledger: Ledger, line: string): boolean {
  const job = jobOfLine(line);
  return job !== null && ledger.batchDeliveries.isCancelled(job.batch);
}

/** A worker is about to get it: a job of a batch that was cancelled is skipped instead. In the caller's transaction. */
export function skipCancelled(ledger: Ledger, place: DeliveryPlace): boolean {
  if (!isCancelledJob(ledger, place)) return false;
  ledger.batchDeliveries.end(place, "cancelled", null);
  ledger.retries.remove(place);
  ledger.sources.count(place.source, { skipped: 1 });
  giveUp(ledger, [place]);
  return true;
}

/** One transaction. What nobody holds when it answers will not begin. */
export function cancelJobs(ledger: Ledger, batch: string, now: number): HeldJobs {
  return ledger.storage.transactionSync(() => {
    ledger.batchDeliveries.cancel(batch, now);
    const open = ledger.batchDeliveries.openOf(batch);
    const held = new Set<string>();
    for (const { leaseUntil, deliveries } of ledger.dispatches.all()) {
      if (leaseUntil > 0) for (const [source, offset] of deliveries) held.add(placeKey({ source, offset }));
    }
    return {
      held: open.filter((place) => held.has(placeKey(place))).map(({ index }) => index),
      ended: ledger.batchDeliveries.endedOf(batch).map(({ index, run, outcome, reason }) => ({
        index,
        run,
        outcome,
        reason,
      })),
    };
  });
}
