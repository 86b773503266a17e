/** What was on its way to a target from before, when workers pull from now on. */
import type { OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import { writeDispatch } from "./retire.ts";

/** Deliveries that nobody has claimed, or that waited behind others, wait for a worker instead: without an attempt. */
export function takeBackUnclaimed(ledger: Ledger, now: number): void {
  const unclaimed = ledger.dispatches.toRing(Number.MAX_SAFE_INTEGER);
  const { waiting } = ledger;
  if (unclaimed.length === 0 && waiting.count() === 0) return;
  ledger.storage.transactionSync(() => {
    ledger.retries.expect();
    waiting.moveToRetries(now);
    for (const dispatch of unclaimed) {
      for (const delivery of dispatch.deliveries) takeBack(ledger, delivery, dispatch.openedAt, now);
      writeDispatch(ledger, { ...dispatch, deliveries: [] });
    }
  });
}

function takeBack(ledger: Ledger, [source, offset, attempt]: OpenDelivery, openedAt: number, now: number): void {
  const retry = ledger.retries.get({ source, offset });
  const first = { source, offset, redrive: false, redrives: 0, owedSince: openedAt, line: null, attempts: [] };
  ledger.retries.put({
    ...(retry ?? first),
    attemptsMade: attempt - 1,
    nextAt: now,
    dispatch: null,
    lane: null, // Workers that pull know no lanes.
    alone: false,
  });
}
