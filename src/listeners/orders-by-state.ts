/**
 * A projection: how many orders are in which state. It wants one topic whose events have the order's id as their key
 * and the new state as the last word of their type (`order.paid`), from its beginning:
 *
 *     PUT /v1/subscriptions/orders-1
 *     { "topics": ["orders"], "startFrom": "earliest", "target": { "kind": "listener", "name": "orders-by-state" } }
 *
 * To build it anew, after a change of this file or of its tables, make a second such subscription, `orders-2`. It folds
 * the log beside the first, takes its place when it has caught up, and the first can be deleted. A seek or a replay of
 * the first builds nothing: each event counts once.
 */
import { defineListener } from "../delivery/define-listener.ts";
import { foldOrder } from "../store/orders-by-state-store.ts";

export default defineListener({
  name: "orders-by-state",
  handle({ partitionkey: orderId, type, offset }, { app, subscriptionId, db }) {
    if (orderId === undefined) return []; // Of no order.
    const state = type.slice(type.lastIndexOf(".") + 1);
    return foldOrder(db, { app, subscriptionId, orderId, state, offset });
  },
});
