import type { OrderCreated } from "../command-handler.ts";
import type { Order } from "../order.ts";
import type { Sequences } from "../sequence.ts";
import type { Consume, OrderEvent } from "./consumer.ts";
import type { Payment } from "./payment.ts";

export interface Notification {
  readonly consume: Consume;
  /** The messages sent, newest first. */
  sent(): readonly string[];
}

const KEPT_MAX = 50;

/** Notification: tells the customer. Here a message is a line; it could be an e-mail. */
export function notification(sequences: Sequences): Notification {
  const messages: string[] = [];
  return {
    consume: async (event: OrderEvent<OrderCreated | Payment>) => {
      const placed = event.type === "order.created" ? (event as OrderEvent<OrderCreated>) : null;
      if (placed !== null) sequences.noteOrder(placed);
      if (placed !== null) sequences.noteDelivery(placed.data.id, "NS");
      messages.unshift(wordsFor(event));
      messages.length = Math.min(messages.length, KEPT_MAX);
      if (placed !== null) sequences.noteWork(placed.data.id, "NS", "Send Notification");
    },
    sent: () => messages,
  };
}

function wordsFor({ type, data }: OrderEvent<Order | Payment>): string {
  if (type === "order.created") {
    const order = data as Order;
    return `To ${order.customerName}: thank you, order ${order.id} over € ${order.total.toFixed(2)} has arrived.`;
  }
  const paid = data as Payment;
  return `To ${paid.customerName}: your payment of € ${paid.amount.toFixed(2)} for ${paid.orderId} is confirmed.`;
}
