/**
 * One topic, many sockets. A burst gives the rate; events sent one at a time, each after every socket has the one
 * before, give the time from publish to socket, which in a burst would only tell how long the queue was.
 */
import { formatDraft } from "../client/events.ts";
import { closedLoop } from "../client/load.ts";
import { Swarm } from "../client/swarm.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import { quantile } from "../numbers.ts";
import { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";

const TOPIC = "prices";
const PUBLISHERS = 4;

export const fanOut = (sockets: number): Measure => ({
  name: `fanout-${sockets}`,
  says: `${sockets} sockets on one topic`,
  sit: (sizes, kinds) =>
    twoSides(kinds, async (side) => {
      const swarm = await Swarm.open(side, TOPIC, sockets);
      return { block: () => measureBlock(side, swarm, sizes), close: () => swarm.close() } satisfies Seat;
    }),
});

/** The same through four hubs, so that the log pushes each event four times and each object sends a quarter. */
export const fanOutTree = (sockets: number): Measure => ({
  name: `fanout-${sockets}-tree`,
  says: `${sockets} sockets on one topic, over four hubs`,
  sit: (sizes, kinds) =>
    twoSides({ ...kinds, subject: kinds.subject === "hub" ? "tree" : kinds.subject }, async (side) => {
      const swarm = await Swarm.open(side, TOPIC, sockets);
      return { block: () => measureBlock(side, swarm, sizes), close: () => swarm.close() } satisfies Seat;
    }),
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
        block: () => measureBlock(sides[0], subject, sizes),
        close: () => {
          stalled.close();
          subject.close();
        },
      },
      baseline: { block: () => measureBlock(sides[1], baseline, sizes), close: () => baseline.close() },
      memoryMb: () => ({ subject: sides[0].memoryMb, baseline: sides[1].memoryMb }),
    };
  },
});

async function measureBlock(side: Side, swarm: Swarm, sizes: Sizes): Promise<Record<string, number>> {
  const publish = (event: number): Promise<Buffer> =>
    side.http.post(side.dialect.broadcast(TOPIC), formatDraft(event, performance.now()));

  const burst = Math.ceil(sizes.fanOutDeliveries / swarm.size);
  swarm.reset();
  const startedAt = performance.now();
  await Promise.all([closedLoop(PUBLISHERS, burst, publish), swarm.received(burst * swarm.size)]);
  const seconds = (performance.now() - startedAt) / 1_000;

  const latenciesMs: number[] = [];
  for (let event = 0; event < sizes.fanOutCalmEvents; event += 1) {
    swarm.reset();
    await publish(event);
    for (const latencyMs of await swarm.received(swarm.size)) latenciesMs.push(latencyMs);
  }
  return {
    "deliveries/s": (burst * swarm.size) / seconds,
    "p50 ms": quantile(latenciesMs, 0.5),
    "p99 ms": quantile(latenciesMs, 0.99),
  };
}
