/**
 * The Worker that decides the command Place Order. `npm run dev` runs it beside the hub, under the binding
 * CONSUMER_ORDERS; the Orders Service makes the order, and the hub is the event bus that it goes out by.
 */
import { defineCommand, rejected } from "../../src/client/command-handler.ts";
import { defineCommands } from "../../src/client/consumer.ts";
import type { Handling, Order } from "./order.ts";
import { processOrder } from "./services/order.ts";

export interface OrderCreated extends Order {
  readonly handling: Handling;
}

/** The state of an order id: whether there is an order under it. */
interface Placed {
  readonly isPlaced: boolean;
}

export const placeOrder = defineCommand<unknown, Placed>({
  name: "place-order",
  initial: { isPlaced: false },
  fold: () => ({ isPlaced: true }),
  decide({ key, payload }, { isPlaced }) {
    const receivedAt = Date.now();
    if (isPlaced) return rejected(`There is an order ${key} already.`);
    const processed = processOrder(payload);
    if (!processed.ok) return rejected(processed.problems.join(" "));
    const { order, startedAt, endedAt } = processed;
    if (order.id !== key) return rejected("The command's key is the order's id.");
    const data: OrderCreated = { ...order, handling: { receivedAt, startedAt, endedAt } };
    return [{ type: "order.created", source: "/services/order", data }];
  },
});

export default defineCommands(placeOrder);
