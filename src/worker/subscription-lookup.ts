import { isSubscriptionName } from "../core/names.ts";
import { allowsOnSubscription, mayTouchSubscriptions } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { heldTopics, type SubscriptionDefinition } from "../core/subscription.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import type { HubContext } from "./context.ts";

/**
 * The subscription that the path names. What lies outside the credential's scopes is not there for it, nor is a name
 * that none can have; who may touch no subscription at all is told so before any is looked up.
 */
export async function findSubscription(
  c: HubContext,
  action: "manage" | "redrive" = "manage",
): Promise<Result<SubscriptionDefinition>> {
  const { principal } = c.var;
  const name = c.req.param("name")!;
  if (!mayTouchSubscriptions(principal, action)) return fail("scope_missing");
  if (!isSubscriptionName(name)) return fail("subscription_not_found");
  const record = await new SubscriptionsStore(c.env.DB).find(c.var.principal.app, name);
  const isTheirs = record !== null && allowsOnSubscription(principal, action, heldTopics(record.definition));
  return isTheirs ? ok(record.definition) : fail("subscription_not_found");
}
