/**
 * From publish to a webhook's 2xx: a burst for the rate, one event at a time to an idle side for the latency; and the
 * rows that the ledger writes for each delivery of a backlog, which is most of what a delivery costs.
 */
import { setTimeout as pause } from "node:timers/promises";
import { formatBatch } from "../client/events.ts";
import { DeliverySink } from "../client/sink.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import { quantile } from "../numbers.ts";
import { WEBHOOK, type WebhookPace } from "../sides/dialects.ts";
import type { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";

const TOPIC = "shipments";
const REQUEST_EVENTS = 100;
const QUIET_MS = 500;
/** After an event, until the next: what either side does behind a delivery is over by then. */
const IDLE_MS = 30;

export const webhook: Measure = {
  name: "webhook",
  says: "publish to a local webhook (baseline: publish, one queue message a request, a plain fetch each, no ledger)",
  sit: (sizes, kinds) => twoSides(kinds, (side) => seatOf(side, "each", (sink) => measureBlock(side, sink, sizes))),
};

export const webhookAgainstSigned: Measure = {
  name: "webhook-signed",
  says: "the same, the baseline doing the same fetches: full events, signed, their time bounded",
  isHubOnly: true,
  sit: (sizes, { subject }) =>
    twoSides({ subject, baseline: "signed" }, (side) =>
      seatOf(side, "each", (sink) => measureBlock(side, sink, sizes)),
    ),
};

export const webhookAgainstSix: Measure = {
  name: "webhook-six",
  says: "the same, the baseline held to the six connections that the platform gives one invocation",
  isHubOnly: true,
  sit: (sizes, { subject }) =>
    twoSides({ subject, baseline: "six" }, (side) => seatOf(side, "each", (sink) => measureBlock(side, sink, sizes))),
};

/** Only the rate: what comes alone waits for its batch to fill, as its subscription asks. */
export const webhookBatch: Measure = {
  name: "webhook-batch",
  says: "the same in batches of 100, one request each (baseline: a request for each event)",
  isHubOnly: true,
  sit: (sizes, kinds) =>
    twoSides(kinds, (side) =>
      seatOf(side, "batch", async (sink) => ({ "deliveries/s": await measureBurst(side, sink, sizes) })),
    ),
};

export const webhookRows: Measure = {
  name: "webhook-rows",
  says: "rows that the ledger writes for a backlog without failures (the baseline has only its log)",
  sit: (sizes, kinds) => twoSides(kinds, (side) => seatOf(side, "each", (sink) => countBacklogRows(side, sink, sizes))),
};

async function seatOf(
  side: Side,
  pace: WebhookPace,
  block: (sink: DeliverySink) => Promise<Record<string, number>>,
): Promise<Seat> {
  const sink = await DeliverySink.open();
  const registration = side.dialect.registerWebhook(TOPIC, sink.url, pace);
  if (registration !== null) await side.http.send(registration.method, registration.path, registration.body);
  return { block: () => block(sink), close: () => sink.close() };
}

/** Deliveries a second. */
async function measureBurst(side: Side, sink: DeliverySink, sizes: Sizes): Promise<number> {
  const path = side.dialect.deliver(TOPIC, sink.url);
  sink.reset();
  const startedAt = performance.now();
  for (let sent = 0; sent < sizes.webhookBurstEvents; sent += REQUEST_EVENTS) {
    await side.http.post(path, formatBatch(sent, REQUEST_EVENTS, performance.now()));
  }
  await sink.received(sizes.webhookBurstEvents);
  return sizes.webhookBurstEvents / ((performance.now() - startedAt) / 1_000);
}

async function measureBlock(side: Side, sink: DeliverySink, sizes: Sizes): Promise<Record<string, number>> {
  const rate = await measureBurst(side, sink, sizes);
  const path = side.dialect.deliver(TOPIC, sink.url);
  const latenciesMs: number[] = [];
  for (let event = 0; event < sizes.webhookCalmEvents; event += 1) {
    sink.reset();
    await side.http.post(path, formatBatch(event, 1, performance.now()));
    latenciesMs.push(...(await sink.received(1)));
    await pause(IDLE_MS);
  }
  return {
    "deliveries/s": rate,
    "p50 ms": quantile(latenciesMs, 0.5),
    "p99 ms": quantile(latenciesMs, 0.99),
  };
}

async function countBacklogRows(side: Side, sink: DeliverySink, sizes: Sizes): Promise<Record<string, number>> {
  const { backlog } = side.dialect;
  const turn = async (step: "hold" | "release"): Promise<void> => {
    if (backlog !== null) await side.http.send(backlog[step].method, backlog[step].path, backlog[step].body);
  };
  sink.reset();
  const before = await rowsAtRest(side);
  await turn("hold");
  const path = side.dialect.deliver(TOPIC, sink.url);
  for (let sent = 0; sent < sizes.backlogEvents; sent += REQUEST_EVENTS) {
    await side.http.post(path, formatBatch(sent, REQUEST_EVENTS, performance.now()));
  }
  await turn("release");
  await sink.received(sizes.backlogEvents);
  return { "rows/delivery": ((await rowsAtRest(side)) - before) / sizes.backlogEvents };
}

/** Once the last deliveries are settled. */
async function rowsAtRest(side: Side): Promise<number> {
  for (let before = -1; ;) {
    const rows = await side.rowsWritten({ of: "ledger", topic: TOPIC, subscription: WEBHOOK });
    if (rows === before) return rows;
    before = rows;
    await pause(QUIET_MS);
  }
}
