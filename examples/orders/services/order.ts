import type { HubConnection, Receipt } from "../hub.ts";
import type { Order } from "../order.ts";

/**
 * Order: publishes `order.created`. The order's id is the Idempotency-Key, so the shop's button may be pressed twice
 * and a lost answer asked for again: there is one order.
 */
export async function placeOrder(hub: HubConnection, order: Order): Promise<Receipt> {
  const draft = { type: "order.created", source: "/services/order", key: order.id, data: order };
  const [receipt] = await hub.publish("order.created", [draft], `place-${order.id}`);
  return receipt!;
}
