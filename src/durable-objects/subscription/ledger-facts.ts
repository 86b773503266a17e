/** The ledger's few single facts. */
import type { RateBucket } from "../../core/ledger-rate.ts";
import type { LedgerStanding } from "../../core/ledger-standing.ts";
import type { SubscriptionDefinition, SubscriptionState } from "../../core/subscription.ts";

/** The endpoint has failed, and its object may count failures that a success must end. */
export interface EndpointWatched {
  /** Its breaker is open: nothing goes out before this, and then one delivery. Null: it is not. */
  readonly heldUntil: number | null;
}

export interface LedgerFacts {
  definition: SubscriptionDefinition;
  state: SubscriptionState;
  /** Absent while the endpoint is well, as far as anybody knows. */
  endpoint: EndpointWatched;
  /** Up to which number ids of dispatches have been reserved. */
  dispatches: number;
  /** What the rate lets go. */
  rate: RateBucket;
  /** What operators have been told of it; absent: nothing, or its end. */
  standing: LedgerStanding;
  /** A delivery has used up its attempts, operators know, and none was taken since. */
  exhausted: true;
  /** A removed subscription stays removed: its id is never minted again, so a late call must not revive it. */
  removed: true;
}
