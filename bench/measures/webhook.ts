/** From publish to a webhook's 2xx: a burst for the rate, one event at a time for the latency. */
import { formatBatch } from "../client/events.ts";
import { DeliverySink } from "../client/sink.ts";
import { twoSides, type Measure } from "../compare.ts";
import { quantile } from "../numbers.ts";
import type { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";

const TOPIC = "shipments";
const REQUEST_EVENTS = 100;

export const webhook: Measure = {
  name: "webhook",
  says: "publish to a local webhook (baseline: publish, queue, fetch, no ledger)",
  sit: (sizes, kinds) =>
    twoSides(kinds, async (side) => {
      const sink = await DeliverySink.open();
      const registration = side.dialect.registerWebhook(TOPIC, sink.url);
      if (registration !== null) await side.http.send(registration.method, registration.path, registration.body);
      return { block: () => measureBlock(side, sink, sizes), close: () => sink.close() };
    }),
};

async function measureBlock(side: Side, sink: DeliverySink, sizes: Sizes): Promise<Record<string, number>> {
  const path = side.dialect.deliver(TOPIC, sink.url);
  sink.reset();
  const startedAt = performance.now();
  for (let sent = 0; sent < sizes.webhookBurstEvents; sent += REQUEST_EVENTS) {
    await side.http.post(path, formatBatch(sent, REQUEST_EVENTS, performance.now()));
  }
  await sink.received(sizes.webhookBurstEvents);
  const seconds = (performance.now() - startedAt) / 1_000;

  const latenciesMs: number[] = [];
  for (let event = 0; event < sizes.webhookCalmEvents; event += 1) {
    sink.reset();
    await side.http.post(path, formatBatch(event, 1, performance.now()));
    latenciesMs.push(...(await sink.received(1)));
  }
  return {
    "deliveries/s": sizes.webhookBurstEvents / seconds,
    "p50 ms": quantile(latenciesMs, 0.5),
    "p99 ms": quantile(latenciesMs, 0.99),
  };
}
