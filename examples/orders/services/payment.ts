import type { HubConnection } from "../hub.ts";
import type { Order, OrderItem } from "../order.ts";
import type { Consume, OrderEvent } from "./consumer.ts";

export interface Payment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly customerName: string;
  readonly amount: number;
  readonly method: "card";
  readonly items: readonly OrderItem[];
}

/** Payment: hears of an order, charges it, publishes `payment.confirmed`. Its id makes a second charge a duplicate. */
export const payment =
  (hub: HubConnection): Consume =>
  async ({ data: order }: OrderEvent<Order>) => {
    const paymentId = `pay-${order.id}`;
    const { id: orderId, customerName, total: amount, items } = order;
    const data: Payment = { paymentId, orderId, customerName, amount, method: "card", items };
    await hub.publish("payment.confirmed", [
      { type: "payment.confirmed", id: paymentId, source: "/services/payment", key: order.id, data },
    ]);
  };
