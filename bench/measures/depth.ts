/** Whether a publish costs more in a long log: the same hub, two topics, one request at a time. */
import { formatDraft } from "../client/events.ts";
import { closedLoop } from "../client/load.ts";
import type { Measure, Seat } from "../compare.ts";
import { quantile } from "../numbers.ts";
import { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";
import { fillLog } from "./fill.ts";

/** Named for the length of the long log, as a quick run fills a shorter one. */
export const depth = ({ deepEvents, shallowEvents }: Sizes): Measure => ({
  name: `depth-${deepEvents}`,
  says: `publish in a log of ${deepEvents} events (baseline: of ${shallowEvents}, in the same hub)`,
  isHubOnly: true,
  sit: async (sizes, kinds) => {
    const side = await Side.start(kinds.subject);
    return {
      subject: await logOf(side, "deep", sizes.deepEvents, sizes),
      baseline: await logOf(side, "shallow", sizes.shallowEvents, sizes),
      memoryMb: () => ({ subject: side.memoryMb, baseline: null }),
    };
  },
});

async function logOf(side: Side, topic: string, events: number, sizes: Sizes): Promise<Seat> {
  await fillLog(side, topic, events);
  return {
    block: async () => {
      const { latenciesMs } = await closedLoop(1, sizes.depthRequests, (request) =>
        side.http.post(side.dialect.publishOne(topic), formatDraft(request, performance.now())),
      );
      return { "p50 ms": quantile(latenciesMs, 0.5), "p99 ms": quantile(latenciesMs, 0.99) };
    },
  };
}
