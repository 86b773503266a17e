import { isSubscriptionName } from "../core/names.ts";
import { allows } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import type { HubContext } from "./context.ts";

/** The subscription that the path names. A name that cannot be one is not there either. */
export async function findSubscription(c: HubContext): Promise<Result<SubscriptionDefinition>> {
  const name = c.req.param("name")!;
  if (!allows(c.var.principal, "manage", name)) return fail("scope_missing");
  if (!isSubscriptionName(name)) return fail("subscription_not_found");
  const record = await new SubscriptionsStore(c.env.DB).find(c.var.principal.app, name);
  return record === null ? fail("subscription_not_found") : ok(record.definition);
}
