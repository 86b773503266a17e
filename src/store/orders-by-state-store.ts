/**
 * Orders by the state of their last event. A generation is one subscription's folding of the log, from its beginning;
 * a later one is built beside the one that is read, and takes its place in the batch that makes it complete.
 */
export interface OrderEvent {
  readonly app: string;
  /** The generation it is folded into. */
  readonly subscriptionId: string;
  readonly orderId: string;
  readonly state: string;
  /** Events of one order stand in one partition: the greater is the later. */
  readonly offset: number;
}

export interface StateCount {
  readonly state: string;
  readonly orders: number;
}

/** Not run here: they commit together with the delivery's idempotency key, in this order. */
export const foldOrder = (db: D1Database, event: OrderEvent): D1PreparedStatement[] => [
  countEvent(db, event),
  placeOrder(db, event),
  takeOver(db, event),
  forgetEarlier(db, event),
];

const countEvent = (db: D1Database, { app, subscriptionId }: OrderEvent): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO order_generations (app, subscription_id, events) VALUES (?1, ?2, 1)
     ON CONFLICT (subscription_id) DO UPDATE SET events = events + 1`,
    )
    .bind(app, subscriptionId);

/** Deliveries overtake each other, so an earlier event never replaces a later one. */
const placeOrder = (db: D1Database, { subscriptionId, orderId, state, offset }: OrderEvent): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO orders_by_state (generation, order_id, state, log_offset)
       SELECT generation, ?2, ?3, ?4 FROM order_generations WHERE subscription_id = ?1
     ON CONFLICT (generation, order_id) DO UPDATE SET state = excluded.state, log_offset = excluded.log_offset
       WHERE excluded.log_offset > log_offset`,
    )
    .bind(subscriptionId, orderId, state, offset);

/**
 * A later generation is read from now on, if it has folded as much as the one that is read and none of that one's
 * orders would go back. One that retention has cut short never gets there.
 */
const takeOver = (db: D1Database, { subscriptionId }: OrderEvent): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO orders_by_state_live (app, generation)
       SELECT app, generation FROM order_generations WHERE subscription_id = ?1
     ON CONFLICT (app) DO UPDATE SET generation = excluded.generation
       WHERE excluded.generation > generation
         AND (SELECT events FROM order_generations AS next WHERE next.generation = excluded.generation) >=
             (SELECT events FROM order_generations AS live WHERE live.generation = orders_by_state_live.generation)
         AND NOT EXISTS (
           SELECT 1 FROM orders_by_state AS live LEFT JOIN orders_by_state AS next
             ON next.generation = excluded.generation AND next.order_id = live.order_id
           WHERE live.generation = orders_by_state_live.generation
             AND (next.log_offset IS NULL OR next.log_offset < live.log_offset))`,
    )
    .bind(subscriptionId);

/** What a subscription of an earlier generation still brings is gone again at once, until somebody deletes it. */
const forgetEarlier = (db: D1Database, { app }: OrderEvent): D1PreparedStatement =>
  db
    .prepare(
      `DELETE FROM orders_by_state WHERE generation IN (
       SELECT earlier.generation FROM order_generations AS earlier
         JOIN orders_by_state_live AS live ON live.app = earlier.app
       WHERE earlier.app = ?1 AND earlier.generation < live.generation)`,
    )
    .bind(app);

/** How many orders are in each state, in the generation that is read. */
export async function readOrdersByState(db: D1Database, app: string): Promise<StateCount[]> {
  const { results } = await db
    .prepare(
      `SELECT orders.state, count(*) AS orders FROM orders_by_state AS orders
         JOIN orders_by_state_live AS live ON live.generation = orders.generation
       WHERE live.app = ?1 GROUP BY orders.state ORDER BY orders.state`,
    )
    .bind(app)
    .all<StateCount>();
  return results;
}
