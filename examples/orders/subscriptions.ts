/** Who consumes what, as the hub is told. Each consumer works at its own pace and fails alone. */
import type { HubConnection } from "./hub.ts";

interface Consumer {
  readonly name: string;
  readonly topics: readonly string[];
  readonly retry?: { readonly maxAttempts: number; readonly schedule: readonly string[] };
}

/** Where the hub reaches the shop's command handler. */
export const ORDERS_BINDING = "CONSUMER_ORDERS";

const PATIENT = { maxAttempts: 8, schedule: ["500ms", "2s", "5s", "30s", "2m"] };

/** Consumers with an endpoint here, at `/webhooks/<name>`. */
export const WEBHOOK_CONSUMERS: readonly Consumer[] = [
  { name: "payment", topics: ["order.created"], retry: PATIENT },
  { name: "notification", topics: ["order.created", "payment.confirmed"], retry: PATIENT },
  { name: "inventory", topics: ["order.created", "payment.confirmed"], retry: PATIENT },
  // Gives up within two seconds, so that nobody waits long for the first dead letter.
  { name: "fulfillment", topics: ["payment.confirmed"], retry: { maxAttempts: 3, schedule: ["200ms", "400ms"] } },
];

/** Tells the hub; the secrets are new at each start, and the hub signs with the newest. */
export async function subscribe(
  hub: HubConnection,
  endpoint: string,
  secrets: ReadonlyMap<string, string>,
): Promise<void> {
  // Before whoever listens: the command makes its topic, with the index that orders' ids need.
  await hub.request("PUT", "/v1/commands/place-order", {
    topic: "order.created",
    target: { kind: "worker", binding: ORDERS_BINDING },
    schema: { type: "object", properties: { orderId: { type: "string" } }, required: ["orderId"] },
  });
  const webhooks = WEBHOOK_CONSUMERS.map(({ name, topics, retry }) =>
    hub.request("PUT", `/v1/subscriptions/${name}`, {
      topics,
      retry,
      startFrom: "earliest",
      target: { kind: "webhook", url: `${endpoint}/webhooks/${name}`, secret: secrets.get(name) },
    }),
  );
  // Analytics lives in the hub (src/listeners/analytics.ts) and counts every event of every topic, exactly once.
  const analytics = hub.request("PUT", "/v1/subscriptions/analytics", {
    topics: ["**"],
    startFrom: "earliest",
    target: { kind: "listener", name: "analytics" },
  });
  await Promise.all([...webhooks, analytics]);
}
