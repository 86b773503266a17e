/** Tells the hub that this Worker wants every order, under the binding that leads to it. */
import { HubConnection } from "../orders/hub.ts";

export const subscribeLoyalty = async (hub: { hub: string; key: string }, binding: string): Promise<void> => {
  await new HubConnection(hub.hub, hub.key).request("PUT", "/v1/subscriptions/loyalty", {
    topics: ["order.created"],
    startFrom: "earliest",
    target: { kind: "worker", binding },
  });
};
