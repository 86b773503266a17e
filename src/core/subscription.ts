/** What a subscription is: the definition that D1 keeps and the ledger works by. */
import type { FilterPattern } from "./filter.ts";
import type { RetryPolicy } from "./retry-schedule.ts";

export type SubscriptionState = "active" | "paused" | "disabled";

export type Target =
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly secret: string;
    }
  | { readonly kind: "listener"; readonly name: string };

/** Where a subscription begins in a topic: `time` from the first event appended at or after it. */
export type SubscriptionStart = { readonly kind: "earliest" } | { readonly kind: "time"; readonly at: number };

export interface SubscriptionDefinition {
  /** Minted in D1; never reused. */
  readonly id: string;
  readonly app: string;
  readonly name: string;
  /** Grows with each PUT; an older definition never replaces a newer one. */
  readonly revision: number;
  readonly topics: readonly string[];
  readonly filter: FilterPattern | null;
  readonly start: SubscriptionStart;
  readonly target: Target;
  readonly retry: RetryPolicy;
  readonly maxInFlight: number;
  readonly timeoutMs: number;
}
