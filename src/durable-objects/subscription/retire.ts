/** The end of one life of a partition: what is owed from it expires, but what keeps its own copy of the event. */
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { logStage } from "../../observability/log.ts";
import type { Dispatch, OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import { endReplay } from "./replay-progress.ts";
import type { Source } from "./source-store.ts";

/** In the caller's transaction. */
export function retireSource(ledger: Ledger, source: Source): void {
  let expired = ledger.retries.dropWaiting(source.id) + ledger.waiting.dropSource(source.id);
  for (const dispatch of ledger.dispatches.all()) expired += expireFrom(ledger, dispatch, source.id);
  ledger.sources.setState(source.id, "retired");
  ledger.batchDeliveries.endSource(source.id, "failed", "expired");
  ledger.heads.delete(source.id);
  ledger.gathers.end(source.id);
  ledger.passedOver.forget(source);
  if (source.replay > 0) endReplay(ledger, source.id, source.replay, Date.now());
  if (expired === 0) return;
  ledger.sources.count(source.id, { expired });
  logExpired(ledger, source, expired, "the topic's life ended");
}

export function logExpired(ledger: Ledger, source: Source, events: number, reason: string): void {
  const { topic, partition } = source;
  logStage("delivery.expired", {
    app: ledger.app,
    subscription: ledger.subscriptionId,
    topic,
    partition,
    events,
    reason,
  });
}

function expireFrom(ledger: Ledger, dispatch: Dispatch, sourceId: number): number {
  const ends = (delivery: OpenDelivery): boolean =>
    delivery[0] === sourceId && (!dispatch.parked || (ledger.retries.get(placeOf(delivery))?.line ?? null) === null);
  const ended = dispatch.deliveries.filter(ends);
  if (ended.length === 0) return 0;
  if (dispatch.parked) for (const delivery of ended) ledger.retries.remove(placeOf(delivery));
  const deliveries = dispatch.deliveries.filter((delivery) => !ended.includes(delivery));
  writeDispatch(ledger, { ...dispatch, deliveries });
  return ended.length;
}

const placeOf = ([source, offset]: OpenDelivery): DeliveryPlace => ({ source, offset });

/** Writes a dispatch back; one with nothing open goes, and its counts move to the sources. */
export function writeDispatch(ledger: Ledger, dispatch: Dispatch): void {
  if (dispatch.deliveries.length > 0) return ledger.dispatches.update(dispatch);
  ledger.dispatches.remove(dispatch.id);
  const counts = Object.entries(dispatch.delivered);
  for (const [source, delivered] of counts) ledger.sources.count(Number(source), { delivered });
}
