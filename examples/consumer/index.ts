/**
 * A Worker beside the hub that consumes the shop's orders: no endpoint, no signature, no secret. `npm run dev` runs it
 * under the binding CONSUMER_LOYALTY, and the subscription `loyalty` delivers to it.
 */
import {
  defineConsumer,
  delivered,
  reject,
  retry,
  type Delivery,
  type DeliveryOutcome,
} from "../../src/client/consumer.ts";

interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly total: number;
}

/** A whole point for each ten spent. */
const POINTS_PER = 10;
const CLOSED_RETRY_MS = 60_000;

export default defineConsumer<Order, LoyaltyEnv>({
  deliver: (deliveries, { env }) => deliveries.map((delivery) => book(delivery, env)),
});

interface LoyaltyEnv {
  /** "1" while the books are closed: everything is taken later. */
  readonly BOOKS_CLOSED?: string;
}

function book(delivery: Delivery<Order>, env: LoyaltyEnv): DeliveryOutcome {
  const { id, event } = delivery;
  const { customerId, total } = event.data ?? {};
  if (typeof customerId !== "string" || typeof total !== "number") return reject(delivery, "This is no order.");
  if (env.BOOKS_CLOSED === "1") return retry(delivery, { delayMs: CLOSED_RETRY_MS, reason: "The books are closed." });
  // Whoever keeps the points somewhere keeps the delivery's id beside them, because a delivery may come again.
  console.log(
    JSON.stringify({ stage: "points.booked", delivery: id, customerId, points: Math.floor(total / POINTS_PER) }),
  );
  return delivered(delivery);
}
