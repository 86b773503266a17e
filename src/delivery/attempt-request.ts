import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";

/** What one attempt needs to know. */
export interface AttemptRequest {
  readonly definition: SubscriptionDefinition;
  readonly delivery: ClaimedDelivery;
  /** The event, as it stands in the log. */
  readonly line: string;
}
