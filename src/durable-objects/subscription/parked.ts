/** What an operator decides about one delivery that failed and waits for its next attempt. */
import { parseDeliveryId, type DeliveryPlace } from "../../core/ledger-ids.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { logStage } from "../../observability/log.ts";
import { freeLanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import { giveUp } from "./passed-over.ts";

/** One transaction: the delivery is given up and counted, and its lane moves on. */
export function skipParked(ledger: Ledger, id: string): Result<null> {
  return ledger.storage.transactionSync(() => {
    const place = findParked(ledger, id);
    if (place === null) return fail("delivery_not_found");
    const { source, offset } = place;
    const { lane } = ledger.retries.get(place)!;
    ledger.retries.remove(place);
    ledger.sources.count(source, { skipped: 1 });
    ledger.batchDeliveries.end(place, "failed", "skipped");
    giveUp(ledger, [place]);
    if (lane !== null) freeLanes(ledger, [{ source, lane }]);
    const { topic, partition } = ledger.sources.get(source)!;
    logStage("delivery.skipped", {
      app: ledger.app,
      subscription: ledger.subscriptionId,
      topic,
      partition,
      offset,
    });
    return ok(null);
  });
}

/** Due at once; the attempts that it had still count. */
export function hastenParked(ledger: Ledger, id: string, now: number): Result<null> {
  const place = findParked(ledger, id);
  if (place === null) return fail("delivery_not_found");
  ledger.retries.hasten(place, now);
  return ok(null);
}

export const isParked = (ledger: Ledger, id: string): boolean => findParked(ledger, id) !== null;

function findParked(ledger: Ledger, id: string): DeliveryPlace | null {
  const place = parseDeliveryId(ledger.subscriptionId, id);
  if (place === null) return null;
  return ledger.retries.get(place)?.dispatch === null ? place : null;
}
