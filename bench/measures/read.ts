/** Reading a whole log from its beginning, page after page, by several readers at once. */
import { scanEvents } from "../client/events.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import type { Driven, ReadOrder } from "../engine/order.ts";
import type { Side } from "../sides/side.ts";
import type { Sizes } from "../sizes.ts";
import { fillLog } from "./fill.ts";

const TOPIC = "history";
const PAGE_EVENTS = 1_000;
/** One alone would wait for its own client half of the time, and measure that instead of the runtime. */
const READERS = 4;

export const read: Measure = {
  name: "read",
  says: `a log from its beginning in pages of ${PAGE_EVENTS}, ${READERS} readers`,
  sit: (sizes, kinds) => twoSides(kinds, (side) => seatOfReaders(side, TOPIC, sizes)),
};

export const readAgainstTable: Measure = {
  name: "read-table",
  says: "the same, against one row an event, whose pages hold the same content",
  isHubOnly: true,
  sit: (sizes, { subject }) => twoSides({ subject, baseline: "table" }, (side) => seatOfReaders(side, TOPIC, sizes)),
};

export const readObject: Measure = {
  name: "read-object",
  says: "the same, the log's object against that of the rows, with no HTTP before either",
  isHubOnly: true,
  sit: (sizes) => twoSides({ subject: "engine", baseline: "table" }, (side) => seatInside(side, sizes)),
};

async function seatInside(side: Side, { logEvents: events }: Sizes): Promise<Seat> {
  await fillLog(side, TOPIC, events);
  const order: ReadOrder = { readers: READERS, events, pageEvents: PAGE_EVENTS };
  return {
    block: async () => {
      const answer = await side.http.post(side.dialect.driveReads(TOPIC), JSON.stringify(order));
      const { seconds } = JSON.parse(answer.toString()) as Driven;
      return { "events/s": (READERS * events) / seconds };
    },
  };
}

export async function seatOfReaders(side: Side, topic: string, sizes: Sizes): Promise<Seat> {
  await fillLog(side, topic, sizes.logEvents);
  const seen: SeenPage[] = [];
  return {
    block: async () => {
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: READERS }, () => readLog(side, topic, sizes.logEvents, seen)));
      return { "events/s": (READERS * sizes.logEvents) / ((performance.now() - startedAt) / 1_000) };
    },
  };
}

/** By how many events came before it. Nobody writes to the log, so a page of the same length holds the same events. */
type SeenPage = { readonly bytes: number; readonly events: number };

/** Counts a page's events where it was not seen before: to count each again costs the client as much as a page costs. */
async function readLog({ http, dialect }: Side, topic: string, events: number, seen: SeenPage[]): Promise<void> {
  let position: string | null = null;
  for (let count = 0; count < events;) {
    const page = await http.send("GET", dialect.page(topic, position, PAGE_EVENTS));
    const bytes = page.length;
    if (seen[count]?.bytes !== bytes) seen[count] = { bytes, events: scanEvents(page) };
    const found = seen[count]!.events;
    if (found === 0) throw new Error(`the log ended after ${count} of ${events} events`);
    count += found;
    position = dialect.positionAfter(page, count);
  }
}
