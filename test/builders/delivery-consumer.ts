/** A consumer behind a binding that knows nothing itself: it asks the recorder what to do with each delivery. */
import { defineConsumer, delivered, retry, type Delivery, type DeliveryOutcome } from "../../src/client/consumer.ts";

interface RecorderEnv {
  readonly RECORDER: string;
}

export default defineConsumer<unknown, RecorderEnv>({
  deliver: (deliveries, { subscription, env }) =>
    Promise.all(deliveries.map((delivery) => ask(delivery, `${env.RECORDER}/${subscription}`))),
});

async function ask(delivery: Delivery, url: string): Promise<DeliveryOutcome> {
  const headers = { "webhook-id": delivery.id };
  try {
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(delivery.event) });
    await response.arrayBuffer();
    if (response.ok) return delivered(delivery);
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    return retry(delivery, { ...(seconds > 0 && { delayMs: seconds * 1_000 }), reason: `It said ${response.status}.` });
  } catch (error) {
    return retry(delivery, { reason: String(error) });
  }
}
