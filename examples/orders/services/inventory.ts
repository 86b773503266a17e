import { PRODUCTS } from "../catalogue.ts";
import { HubRefused, type HubConnection } from "../hub.ts";
import type { Consume, OrderEvent } from "./consumer.ts";
import type { Payment } from "./payment.ts";

export interface Inventory {
  readonly consume: Consume;
  /** How many of each product are left. */
  stock(): Readonly<Record<string, number>>;
}

/** Inventory: hears of a payment, takes the goods off the shelf, publishes `stock.updated` for each of them. */
export function inventory(hub: HubConnection): Inventory {
  const left = new Map(PRODUCTS.map(({ id, stock }) => [id, stock]));

  async function consume({ data: { orderId, items } }: OrderEvent<Payment>): Promise<void> {
    const lines = items.map(({ id, name, quantity }) => ({
      orderId,
      productId: id,
      name,
      change: -quantity,
      available: left.get(id)! - quantity,
    }));
    const drafts = lines.map((data, index) => ({
      type: "stock.updated",
      id: `stock-${orderId}-${index}`,
      source: "/services/inventory",
      key: orderId,
      data,
    }));
    try {
      await hub.publish("stock.updated", drafts);
    } catch (error) {
      // Published before this program last started, with what was left then: the goods are off the shelf already.
      if (error instanceof HubRefused && error.code === "event_id_conflict") return;
      throw error;
    }
    for (const { productId, available } of lines) left.set(productId, available);
  }

  return { consume, stock: () => Object.fromEntries(left) };
}
