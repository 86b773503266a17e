/** The hub beside what a user would pick instead, in what both can do. */
import { formatBatch, formatDraft } from "../client/events.ts";
import { EventStreams } from "../client/event-streams.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import { measureAudience, seatOfSockets } from "../measures/fan-out.ts";
import { appendBatches, appendOnes, BATCH_EVENTS } from "../measures/publish.ts";
import { seatOfReaders } from "../measures/read.ts";
import type { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";
import { openAppender, type Appender, type Batch } from "./appender.ts";
import { absenceOf, PEERS, type Peer } from "./peers.ts";

const TOPIC = "orders";
const SOCKETS = 1_000;
const STREAMS = 20;

const LOGS: readonly Peer[] = [PEERS.durableStreams, PEERS.redisAlways, PEERS.redisEverySecond, PEERS.nats];
const ROOMS: readonly Peer[] = [PEERS.partyServer, PEERS.socketIo];

/** Made beforehand, as for the measures of publishing. */
const BATCHES = Array.from({ length: 16 }, (_, index): Batch => {
  const numbers = Array.from({ length: BATCH_EVENTS }, (_, offset) => index * BATCH_EVENTS + offset);
  const body = formatBatch(index * BATCH_EVENTS, BATCH_EVENTS, 0);
  return { drafts: numbers.map((number) => formatDraft(number, 0)), body };
});

const against = (
  peer: Peer,
  what: string,
  says: string,
  seat: (side: Side, sizes: Sizes) => Promise<Seat>,
): Measure => ({
  name: `${what}-${peer.kind}`,
  says: `${says}, against ${peer.name}`,
  absence: () => absenceOf(peer),
  sit: (sizes) =>
    // Before a peer stands nothing but its own server, so what a local run puts before the hub is left out.
    twoSides({ subject: "direct", baseline: peer.kind }, async (side) => {
      const creation = side.dialect.createTopic(TOPIC);
      if (creation !== null) await side.http.send(creation.method, creation.path, creation.body);
      return seat(side, sizes);
    }),
});

const seatOfOnes = (side: Side, sizes: Sizes): Promise<Seat> =>
  seatOfAppends(side, ({ one }) => appendOnes(sizes, (request) => one(formatDraft(request, performance.now()))));

const seatOfBatches = (side: Side, sizes: Sizes): Promise<Seat> =>
  seatOfAppends(side, ({ many }) => appendBatches(sizes, (request) => many(BATCHES[request % BATCHES.length]!)));

async function seatOfAppends(side: Side, block: (appender: Appender) => ReturnType<Seat["block"]>): Promise<Seat> {
  const appender = await openAppender(side, TOPIC);
  return { block: () => block(appender), close: () => appender.close() };
}

async function seatOfStreams(side: Side, sizes: Sizes): Promise<Seat> {
  const streams = await EventStreams.open(side, TOPIC, STREAMS);
  const smaller = { ...sizes, fanOutDeliveries: sizes.streamDeliveries };
  return { block: () => measureAudience(side, TOPIC, streams, smaller), close: () => streams.close() };
}

export const PEER_MEASURES: readonly Measure[] = [
  ...LOGS.map((peer) => against(peer, "append-1", "one event a request, 32 under way", seatOfOnes)),
  ...LOGS.map((peer) => against(peer, "append-100", "100 events a request, 8 under way", seatOfBatches)),
  against(PEERS.durableStreams, "read", "a log from its beginning, 4 readers", (side, sizes) =>
    seatOfReaders(side, TOPIC, sizes),
  ),
  against(PEERS.durableStreams, `sse-${STREAMS}`, `${STREAMS} event streams on one topic`, seatOfStreams),
  ...ROOMS.map((peer) =>
    against(peer, `broadcast-${SOCKETS}`, `${SOCKETS} sockets on one topic`, (side, sizes) =>
      seatOfSockets(side, TOPIC, SOCKETS, sizes),
    ),
  ),
];
