/** What is priced: each workload runs on a hub of its own, on an empty topic, one request at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../src/core/limits.ts";
import { startHub, type Hub } from "../../test/harness/hub.ts";
import type { TestSocket } from "../../test/harness/socket.ts";
import { formatBatch, formatDraft } from "../client/events.ts";
import { DeliverySink } from "../client/sink.ts";
import { unitsBetween, unitsPer, type Units } from "./units.ts";

export interface Workload {
  readonly name: string;
  readonly says: string;
  /** What a unit is counted for. */
  readonly per: "event" | "delivery" | "frame" | "run" | "second";
  /** Prepares, and answers what is counted; that answers for how many. */
  prepare(hub: Hub, size: Size, closeLater: (close: () => void) => void): Promise<() => Promise<number>>;
}

export interface Size {
  /** Events of a workload that publishes one at a time; others publish ten times as many. */
  readonly events: number;
  /** A workload is over when nothing has been counted for so long: what comes after it, alarms above all, is its own. */
  readonly quietMs: number;
}

const TOPIC = "orders";
const BATCH_EVENTS = 100;
/** Longer than any alarm takes that follows on what was done. */
const ALARMS_MS = LIMITS.TELL_AGAIN_MS + 500;
const SOCKETS = 20;

const post = async (hub: Hub, body: string, headers: Record<string, string> = {}): Promise<void> => {
  const { status } = await hub.publish(TOPIC, body, headers);
  if (status !== 201) throw new Error(`the publish answered ${status}`);
};

/** Calls `send` for each batch, numbered from 0. Answers how many events that were. */
async function inBatches({ events }: Size, send: (batch: number) => Promise<void>): Promise<number> {
  const batches = Math.ceil((events * 10) / BATCH_EVENTS);
  for (let batch = 0; batch < batches; batch += 1) await send(batch);
  return batches * BATCH_EVENTS;
}

const batchOf = (batch: number): string => formatBatch(batch * BATCH_EVENTS, BATCH_EVENTS, performance.now());

const publishAlone: Workload = {
  name: "publish-1",
  says: "one event a request, the hub gives the id",
  per: "event",
  prepare: async (hub, { events }) => {
    await post(hub, formatDraft(0, 0)); // The topic is made, the object awake.
    return async () => {
      for (let event = 0; event < events; event += 1) await post(hub, formatDraft(event, 0));
      return events;
    };
  },
};

const publishAloneWithId: Workload = {
  name: "publish-1-id",
  says: "one event a request, with the client's id",
  per: "event",
  prepare: async (hub, { events }) => {
    const draft = (event: number): string => `{"id":"order-${event}",${formatDraft(event, 0).slice(1)}`;
    await post(hub, draft(-1));
    return async () => {
      for (let event = 0; event < events; event += 1) await post(hub, draft(event));
      return events;
    };
  },
};

const publishBatches: Workload = {
  name: "publish-100",
  says: "100 events a request, the hub gives the ids",
  per: "event",
  prepare: async (hub, size) => {
    await post(hub, formatDraft(0, 0));
    return () => inBatches(size, (batch) => post(hub, batchOf(batch)));
  },
};

const publishKeyedBatches: Workload = {
  name: "publish-100-key",
  says: "100 events a request, with an Idempotency-Key",
  per: "event",
  prepare: async (hub, size) => {
    await post(hub, formatDraft(0, 0), { "idempotency-key": "first" });
    return () => inBatches(size, (batch) => post(hub, batchOf(batch), { "idempotency-key": `batch-${batch}` }));
  },
};

const fanOut: Workload = {
  name: "fan-out",
  says: `100 events a request to ${SOCKETS} sockets, which acknowledge`,
  per: "frame",
  prepare: async (hub, size) => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => follow(hub)));
    return async () => {
      const events = await inBatches(size, (batch) => post(hub, batchOf(batch)));
      await Promise.all(sockets.map((socket) => socket.until(() => socket.events(TOPIC).length >= events)));
      for (const socket of sockets) socket.send({ op: "ack", topic: TOPIC, cursor: socket.cursor(TOPIC) });
      return events * SOCKETS;
    };
  },
};

async function follow(hub: Hub): Promise<TestSocket> {
  const socket = await hub.connect();
  await socket.subscribe(TOPIC);
  await socket.message(({ op }) => op === "caught_up");
  return socket;
}

/** To a webhook that takes everything; `more`: of the subscription's definition. */
const deliveries = (
  name: string,
  says: string,
  more: object,
  publish: (hub: Hub, sink: DeliverySink, size: Size) => Promise<number>,
): Workload => ({
  name,
  says,
  per: "delivery",
  prepare: async (hub, size, closeLater) => {
    const sink = await DeliverySink.open();
    closeLater(() => sink.close());
    const target = { kind: "webhook", url: sink.url };
    const defined = { topics: [TOPIC], startFrom: "latest", target, ...more };
    const { status } = await hub.json("PUT", SUBSCRIPTION, defined);
    if (status !== 201) throw new Error(`the subscription answered ${status}`);
    await post(hub, formatDraft(0, 0));
    await sink.received(1);
    return async () => {
      sink.reset();
      const events = await publish(hub, sink, size);
      await sink.received(events);
      return events;
    };
  },
});

const SUBSCRIPTION = "/v1/subscriptions/billing";

const publishAll = (hub: Hub, _sink: DeliverySink, size: Size): Promise<number> =>
  inBatches(size, (batch) => post(hub, batchOf(batch)));

async function publishBacklog(hub: Hub, sink: DeliverySink, size: Size): Promise<number> {
  await hub.json("POST", `${SUBSCRIPTION}/pause`, {});
  const events = await publishAll(hub, sink, size);
  await hub.json("POST", `${SUBSCRIPTION}/resume`, {});
  return events;
}

async function publishOneByOne(hub: Hub, sink: DeliverySink, { events }: Size): Promise<number> {
  for (let event = 1; event <= events; event += 1) {
    await post(hub, formatDraft(event, 0));
    await sink.received(event);
  }
  return events;
}

const IN_BATCHES = { mode: "batch", batch: { maxEvents: BATCH_EVENTS, maxWait: "100ms" } };

const cron: Workload = {
  name: "cron",
  says: "the cron, once a minute, with nothing to do",
  per: "run",
  prepare: async (hub) => {
    await post(hub, formatDraft(0, 0));
    return async () => {
      await hub.runCron();
      return 1;
    };
  },
};

const idle: Workload = {
  name: "idle",
  says: "topics, a subscription and an open socket, between two crons",
  per: "second",
  prepare: async (hub) => {
    const target = { kind: "webhook", url: "http://127.0.0.1:9/" };
    await hub.json("PUT", "/v1/subscriptions/billing", { topics: [TOPIC], startFrom: "latest", target });
    await follow(hub);
    await sleep(ALARMS_MS);
    return async () => {
      await sleep(ALARMS_MS);
      return ALARMS_MS / 1_000;
    };
  },
};

export const WORKLOADS: readonly Workload[] = [
  publishAlone,
  publishAloneWithId,
  publishBatches,
  publishKeyedBatches,
  fanOut,
  deliveries("deliver-backlog", "what waited for a subscription that was paused, a call for each", {}, publishBacklog),
  deliveries("deliver-100", "100 events a request to a webhook, a call for each", {}, publishAll),
  deliveries("deliver-batch", "the same in mode batch, a call for a hundred", IN_BATCHES, publishAll),
  deliveries("deliver-1", "one event a request, each delivered before the next is published", {}, publishOneByOne),
  cron,
  idle,
];

/** Units per event, delivery, frame, run or second; what follows on a workload until the hub is quiet is its own. */
export async function countUnits(workload: Workload, size: Size): Promise<Units> {
  const hub = await startHub({ entry: "bench/metered/worker.ts" });
  const closers: (() => void)[] = [];
  try {
    const run = await workload.prepare(hub, size, (close) => closers.push(close));
    const before = await unitsAtRest(hub, size.quietMs);
    const count = await run();
    return unitsPer(unitsBetween(before, await unitsAtRest(hub, size.quietMs)), count);
  } finally {
    for (const close of closers) close();
    await hub.close();
  }
}

/** Once nothing more is counted for a while. */
async function unitsAtRest(hub: Hub, quietMs: number): Promise<Units> {
  for (let before = ""; ;) {
    const text = await (await fetch(`${hub.url}/cost/units`)).text();
    if (text === before) return JSON.parse(text) as Units;
    before = text;
    await sleep(quietMs);
  }
}
