/** What a ledger tells of itself and of its deliveries, for people and their tools. */
import type { BreakerState } from "./breaker.ts";
import type { AttemptRecord } from "./delivery-decision.ts";
import type { SubscriptionState } from "./subscription.ts";

export interface SubscriptionStats {
  readonly owed: number;
  readonly inFlight: number;
  readonly delivered: number;
  readonly dead: number;
  readonly expired: number;
  readonly skipped: number;
  readonly discarded: number;
  /** Events not examined yet, over all partitions followed. */
  readonly lag: number;
  readonly oldestOwedAt: string | null;
  /** Matching events examined since the start: delivered + dead + owed + expired + skipped + discarded. */
  readonly matched: number;
}

/** How the endpoint fares. Times are RFC 3339; null where there is nothing of the kind. */
export interface EndpointHealthReport {
  readonly state: BreakerState;
  /** In a row, up to now. */
  readonly failures: number;
  readonly since: string | null;
  /** While it is not closed: one delivery goes out then. */
  readonly nextProbeAt: string | null;
}

export interface SubscriptionReport {
  readonly state: SubscriptionState;
  readonly health: EndpointHealthReport;
  readonly stats: SubscriptionStats;
}

export interface DeliveryReport {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** `delivered` while it is kept: the last ones, of a subscription that keeps all attempts. */
  readonly state: "owed" | "in_flight" | "delivered" | "dead";
  /** How often it came back from the dead; `attempts` tells of all its lives. */
  readonly redrives: number;
  readonly attempts: readonly AttemptRecord[];
  readonly nextAttemptAt: string | null;
}
