import { PRODUCTS } from "../catalogue.ts";
import type { OrderCreated } from "../command-handler.ts";
import { HubRefused, type HubConnection } from "../hub.ts";
import type { Sequences } from "../sequence.ts";
import type { Consume, OrderEvent } from "./consumer.ts";
import type { Payment } from "./payment.ts";

export interface Inventory {
  readonly consume: Consume;
  /** How many of each product are left. */
  stock(): Readonly<Record<string, number>>;
  /** How many of them are promised to orders that are not paid for yet. */
  reserved(): Readonly<Record<string, number>>;
}

/**
 * Inventory: hears of an order and reserves its goods; hears of its payment, takes them off the shelf and publishes
 * `stock.updated` for each of them.
 */
export function inventory(hub: HubConnection, sequences: Sequences): Inventory {
  const reserved = new Map(PRODUCTS.map(({ id }) => [id, 0]));
  const left = new Map(PRODUCTS.map(({ id, stock }) => [id, stock]));

  function reserve(event: OrderEvent<OrderCreated>): void {
    const { id, items } = event.data;
    sequences.noteOrder(event);
    sequences.noteDelivery(id, "IS");
    for (const item of items) reserved.set(item.id, reserved.get(item.id)! + item.quantity);
    sequences.noteWork(id, "IS", "Update Inventory");
  }

  async function take({ data: { orderId, items } }: OrderEvent<Payment>): Promise<void> {
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
    for (const { productId, available, change } of lines) {
      left.set(productId, available);
      reserved.set(productId, Math.max(0, reserved.get(productId)! + change));
    }
  }

  const consume = async (event: OrderEvent<OrderCreated | Payment>): Promise<void> =>
    event.type === "order.created" ? reserve(event as OrderEvent<OrderCreated>) : take(event as OrderEvent<Payment>);
  return { consume, stock: () => Object.fromEntries(left), reserved: () => Object.fromEntries(reserved) };
}
