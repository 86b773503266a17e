/**
 * One topic, many sockets. A burst gives the rate; events sent one at a time, each after every socket has the one
 * before, give the time from publish to socket, which in a burst would only tell how long the queue was.
 */
import { formatDraft } from "../client/events.ts";
import { closedLoop } from "../client/load.ts";
import type { Audience } from "../client/arrivals.ts";
import { Swarm } from "../client/swarm.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import type { Sample } from "../figures.ts";
import { quantile } from "../numbers.ts";
import { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";

const TOPIC = "prices";
const PUBLISHERS = 4;

export const fanOut = (sockets: number): Measure => ({
  name: `fanout-${sockets}`,
  says: `${sockets} sockets on one topic`,
  sit: (sizes, kinds) => twoSides(kinds, (side) => seatOfSockets(side, TOPIC, sockets, sizes)),
});

/** The same through four hubs, so that the log pushes each event four times and each object sends a quarter. */
export const fanOutTree = (sockets: number): Measure => ({
  name: `fanout-${sockets}-tree`,
  says: `${sockets} sockets on one topic, over four hubs`,
  sit: (sizes, kinds) =>
    twoSides({ ...kinds, subject: kinds.subject === "hub" ? "tree" : kinds.subject }, (side) =>
      seatOfSockets(side, TOPIC, sockets, sizes),
    ),
});

const STALLED = 20;

/** What readers that hang cost those beside them. */
export const stalledReaders = (sockets: number): Measure => ({
  name: `stalled-${sockets}`,
  says: `${sockets} sockets on one topic, ${STALLED} stalled ones beside them, against the hub without these`,
  isHubOnly: true,
  sit: async (sizes) => {
    const sides = [await Side.start("hub"), await Side.start("hub")] as const;
    const stalled = await Swarm.open(sides[0], TOPIC, STALLED);
    stalled.stall();
    const [subject, baseline] = [
      await Swarm.open(sides[0], TOPIC, sockets),
      await Swarm.open(sides[1], TOPIC, sockets),
    ];
    return {
      subject: {
        block: () => measureAudience(sides[0], TOPIC, subject, sizes),
        close: () => {
          stalled.close();
          subject.close();
        },
      },
      baseline: { block: () => measureAudience(sides[1], TOPIC, baseline, sizes), close: () => baseline.close() },
      memoryMb: () => ({ subject: sides[0].memoryMb, baseline: sides[1].memoryMb }),
    };
  },
});

export async function seatOfSockets(side: Side, topic: string, sockets: number, sizes: Sizes): Promise<Seat> {
  const swarm = await Swarm.open(side, topic, sockets);
  return { block: () => measureAudience(side, topic, swarm, sizes), close: () => swarm.close() };
}

/** One block of those who follow a topic, by whatever road. */
export async function measureAudience(side: Side, topic: string, audience: Audience, sizes: Sizes): Promise<Sample> {
  const publish = (event: number): Promise<Buffer> =>
    side.http.post(side.dialect.broadcast(topic), formatDraft(event, performance.now()));

  const burst = Math.ceil(sizes.fanOutDeliveries / audience.size);
  audience.reset();
  const startedAt = performance.now();
  await Promise.all([closedLoop(PUBLISHERS, burst, publish), audience.received(burst * audience.size)]);
  const seconds = (performance.now() - startedAt) / 1_000;

  const latenciesMs: number[] = [];
  for (let event = 0; event < sizes.fanOutCalmEvents; event += 1) {
    audience.reset();
    await publish(event);
    for (const latencyMs of await audience.received(audience.size)) latenciesMs.push(latencyMs);
  }
  return {
    "deliveries/s": (burst * audience.size) / seconds,
    "p50 ms": quantile(latenciesMs, 0.5),
    "p99 ms": quantile(latenciesMs, 0.99),
  };
}
