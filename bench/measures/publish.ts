/** Publishing: one event a request, and a hundred; against the least there is, and against the obvious event log. */
import { formatBatch, formatDetailedDraft, formatDraft, formatNamedBatch } from "../client/events.ts";
import { closedLoop } from "../client/load.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import type { Sample } from "../figures.ts";
import { quantile } from "../numbers.ts";
import type { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";

const TOPIC = "orders";
export const BATCH_EVENTS = 100;
/** Made beforehand: writing a hundred drafts costs the client about as much as reading them costs a runtime. */
const BODIES = Array.from({ length: 16 }, (_, index) => formatBatch(index * BATCH_EVENTS, BATCH_EVENTS, 0));

export const publishOne: Measure = {
  name: "publish-1",
  says: "one event a request, 32 connections",
  sit: (sizes, kinds) => twoSides(kinds, async (side) => seatOfOnes(side, sizes)),
};

export const publishOneAgainstTable: Measure = {
  name: "publish-1-table",
  says: "the same, against one row an event with a unique id and a receipt",
  isHubOnly: true,
  sit: (sizes, { subject }) => twoSides({ subject, baseline: "table" }, async (side) => seatOfOnes(side, sizes)),
};

export const publishMany: Measure = {
  name: "publish-100",
  says: `${BATCH_EVENTS} events a request, 8 connections`,
  sit: (sizes, kinds) => twoSides(kinds, async (side) => seatOfBatches(side, sizes)),
};

export const publishManyAgainstTable: Measure = {
  name: "publish-100-table",
  says: "the same, against one row an event with a unique id and a receipt",
  isHubOnly: true,
  sit: (sizes, { subject }) => twoSides({ subject, baseline: "table" }, async (side) => seatOfBatches(side, sizes)),
};

export const publishManyNamed: Measure = {
  name: "publish-100-ids",
  says: "the same with ids that the client gives, each looked for before it is taken",
  isHubOnly: true,
  sit: (sizes, { subject }) =>
    twoSides({ subject, baseline: "table" }, async (side) => seatOfNamedBatches(side, sizes)),
};

/** What it costs to know who asks: the hub asked with an API key, against the hub that asks nobody. */
export const authentication: Measure = {
  name: "auth",
  says: "one event a request with an API key, against the hub without its authentication",
  isHubOnly: true,
  sit: (sizes) => twoSides({ subject: "keyed", baseline: "open" }, async (side) => seatOfOnes(side, sizes)),
};

/** What a contract costs: the same events into a topic that enforces the schema of their type, and into one without. */
export const contracts: Measure = {
  name: "schema",
  says: "one event of 20 members a request, held to its schema, against the hub that holds it to none",
  isHubOnly: true,
  sit: (sizes) =>
    twoSides({ subject: "enforced", baseline: "hub" }, async (side) => seatOfOnes(side, sizes, formatDetailedDraft)),
};

const seatOfOnes = ({ http, dialect }: Side, sizes: Sizes, format = formatDraft): Seat => ({
  block: () => appendOnes(sizes, (request) => http.post(dialect.publishOne(TOPIC), format(request, performance.now()))),
});

const seatOfBatches = ({ http, dialect }: Side, sizes: Sizes): Seat => ({
  block: () =>
    appendBatches(sizes, (request) => http.post(dialect.publishMany(TOPIC), BODIES[request % BODIES.length]!)),
});

/** Each block names its events anew; their bodies, too, are made beforehand. */
function seatOfNamedBatches({ http, dialect }: Side, sizes: Sizes): Seat {
  let named = 0;
  return {
    block: () => {
      const bodies = Array.from({ length: sizes.publishManyRequests }, (_, request) =>
        formatNamedBatch(named + request * BATCH_EVENTS, BATCH_EVENTS),
      );
      named += sizes.publishManyRequests * BATCH_EVENTS;
      return appendBatches(sizes, (request) => http.post(dialect.publishMany(TOPIC), bodies[request]!));
    },
  };
}

/** What sends one event, or a batch of them, and resolves when it was taken. */
type Send = (request: number) => Promise<unknown>;

export async function appendOnes({ publishOneRequests: requests }: Sizes, send: Send): Promise<Sample> {
  const { seconds, latenciesMs } = await closedLoop(32, requests, send);
  return {
    "events/s": requests / seconds,
    "p50 ms": quantile(latenciesMs, 0.5),
    "p99 ms": quantile(latenciesMs, 0.99),
  };
}

export async function appendBatches({ publishManyRequests: requests }: Sizes, send: Send): Promise<Sample> {
  const { seconds, latenciesMs } = await closedLoop(8, requests, send);
  return { "events/s": (requests * BATCH_EVENTS) / seconds, "p50 ms": quantile(latenciesMs, 0.5) };
}
