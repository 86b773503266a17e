/** A consumer reports. Each settle of a running claim renews its lease. */
import { ringDelayMs } from "../../core/ledger-schedule.ts";
import type { SettleAnswer, SettledDelivery } from "../rpc.ts";
import { leaseFrom } from "./claim.ts";
import type { Dispatch } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import { Settlement } from "./settlement.ts";

/**
 * One transaction. Of a claim that is over only acceptances count, and only of deliveries still open in the dispatch:
 * what a target has taken is never attempted again. `random` is in [0, 1) at each call.
 */
export function settleDispatch(
  ledger: Ledger,
  id: number,
  claim: number,
  outcomes: readonly SettledDelivery[],
  done: boolean,
  now: number,
  random: () => number,
): SettleAnswer {
  return ledger.storage.transactionSync(() => {
    const found = ledger.dispatches.get(id);
    if (found === null || ledger.definition === null) return { continue: false };
    const dispatch = takeBack(found, claim, leaseFrom(ledger.definition.timeoutMs, now));
    const isCurrent = dispatch.claim === claim && dispatch.leaseUntil > 0;
    const settlement = new Settlement(ledger, dispatch, now);
    // What failed together waits equally long, so that it goes together again.
    const shared = ledger.definition.batch === undefined ? null : random();
    for (const settled of outcomes) {
      if (isCurrent || settled.outcome.kind === "accepted") settlement.apply(settled, shared ?? random());
    }
    const progress = settlement.settled > 0 ? { lapses: 0, rings: 0 } : {};
    if (!isCurrent) {
      settlement.write({});
    } else if (done) {
      // What is left goes out again at once, unless nothing could be done: then it waits longer each time.
      const ringAt = settlement.settled > 0 ? now : now + ringDelayMs(dispatch.rings);
      settlement.write({ rings: dispatch.rings + 1, ...progress, leaseUntil: 0, ringAt });
    } else {
      settlement.write({ ...progress, leaseUntil: leaseFrom(ledger.definition.timeoutMs, now) });
    }
    return { continue: isCurrent && !done && ledger.isRunning && ledger.heldUntil === null };
  });
}

/** A claim that was held in memory and lost with the object goes on, as long as no other has come after it. */
const takeBack = (dispatch: Dispatch, claim: number, leaseUntil: number): Dispatch =>
  dispatch.claim === 0 ? { ...dispatch, claim, leaseUntil } : dispatch;
