/**
 * The log's object against the object of the obvious event log, each driven by its own Worker from inside its runtime:
 * what the engine is worth, without the entry of HTTP that both sides of a publish pay alike.
 */
import { formatBatch, formatDraft, formatNamedBatch } from "../client/events.ts";
import { twoSides, type Measure, type Seat } from "../compare.ts";
import type { Driven } from "../engine/order.ts";
import type { Side } from "../sides/side.ts";
import { BATCH_EVENTS } from "./publish.ts";

const TOPIC = "orders";

/** How many distinct batches there are where they need not name their events. */
const BATCHES = 16;

export const appendOne: Measure = {
  name: "append-1-object",
  says: "one event an append, 32 under way: the log's object against one row an event",
  isHubOnly: true,
  sit: ({ publishOneRequests: appends }) => {
    const batches = Array.from({ length: BATCHES }, (_, batch) => `[${formatDraft(batch, 0)}]`);
    return sitInside(1, { appends, connections: 32 }, () => batches);
  },
};

export const appendMany: Measure = {
  name: "append-100-object",
  says: `${BATCH_EVENTS} events an append, 8 under way: the log's object against one row an event`,
  isHubOnly: true,
  sit: ({ publishManyRequests: appends }) => sitInside(BATCH_EVENTS, { appends, connections: 8 }, unnamedBatches),
};

export const appendManyKeyed: Measure = {
  name: "append-100-object-key",
  says: "the same, the hub's appends with an idempotency key, by which a batch sent again is known as a whole",
  isHubOnly: true,
  sit: ({ publishManyRequests: appends }) =>
    sitInside(BATCH_EVENTS, { appends, connections: 8, isKeyed: true }, unnamedBatches),
};

export const appendManyNamed: Measure = {
  name: "append-100-object-ids",
  says: "the same with ids that the client gives, a row each on both sides",
  isHubOnly: true,
  sit: ({ publishManyRequests: appends }) =>
    sitInside(BATCH_EVENTS, { appends, connections: 8 }, (block) => {
      const first = block * appends * BATCH_EVENTS;
      return Array.from({ length: appends }, (_, batch) =>
        formatNamedBatch(first + batch * BATCH_EVENTS, BATCH_EVENTS),
      );
    }),
};

const unnamedBatches = (): readonly string[] =>
  Array.from({ length: BATCHES }, (_, batch) => formatBatch(batch * BATCH_EVENTS, BATCH_EVENTS, 0));

interface Pace {
  readonly appends: number;
  readonly connections: number;
  readonly isKeyed?: boolean;
}

/** `batchesOf`: the batches of a block as JSON, by how many blocks the side has had. */
const sitInside = (batchEvents: number, pace: Pace, batchesOf: (block: number) => readonly string[]) =>
  twoSides({ subject: "engine", baseline: "table" }, async (side) => seatInside(side, batchEvents, pace, batchesOf));

function seatInside(
  { http, dialect }: Side,
  batchEvents: number,
  { appends, connections, isKeyed = false }: Pace,
  batchesOf: (block: number) => readonly string[],
): Seat {
  let blocks = 0;
  return {
    block: async () => {
      const batches = batchesOf(blocks).join(",");
      const keys = isKeyed ? `"block-${blocks}"` : "null";
      blocks += 1;
      const order = `{"appends":${appends},"connections":${connections},"keys":${keys},"batches":[${batches}]}`;
      const { seconds } = JSON.parse((await http.post(dialect.driveAppends(TOPIC), order)).toString()) as Driven;
      return { "events/s": (appends * batchEvents) / seconds };
    },
  };
}
