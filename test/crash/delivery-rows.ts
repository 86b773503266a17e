/** The subscriptions of the acceptance test of delivery, a row each: what it asks of the hub, and what it promises. */
import type { WireEvent } from "../harness/socket.ts";

export interface Row {
  readonly name: string;
  /** Beside the topics, the schedule and the timeout that all have. */
  readonly definition: object;
  /** How its target is reached; the recorder answers for each of them. */
  readonly by: "webhook" | "pull" | "worker";
  /** One request brings several events, under an id of its own. */
  readonly isBatched?: true;
  /** First successes of one of these are in the order of the log. */
  readonly lane?: (event: WireEvent) => string;
  /** Absent: it takes every event. */
  readonly matches?: (event: WireEvent) => boolean;
}

export const BROKEN_ROW = "key";
export const BROKEN_KEY = "k7";

/** What the hub may have out at once for each. */
export const IN_FLIGHT_MAX = 100;
export const MAX_ATTEMPTS = 10;
export const STEP_MS = 200;

/** Small, so that there are many of them. */
const BATCH = { maxEvents: 10, maxWait: "100ms" };

export const ROWS: readonly Row[] = [
  { name: "plain", by: "webhook", definition: {} },
  {
    name: "key",
    by: "webhook",
    definition: { ordering: "key" },
    lane: ({ partition, partitionkey }) => `${partition}/${partitionkey}`,
  },
  { name: "strict", by: "webhook", definition: { ordering: "strict" }, lane: ({ partition }) => String(partition) },
  { name: "sync", by: "webhook", definition: { mode: "sync" } },
  {
    name: "filtered",
    by: "webhook",
    definition: { filter: { data: { number: [{ numeric: [">=", 20] }], parity: ["even"] } } },
    matches: ({ data }) => {
      const { number, parity } = data as OrderData;
      return number >= 20 && parity === "even";
    },
  },
  { name: "batch", by: "webhook", isBatched: true, definition: { mode: "batch", batch: BATCH } },
  { name: "worker", by: "worker", definition: {} },
  { name: "pull", by: "pull", definition: {} },
];

export interface OrderData {
  readonly publisher: number;
  readonly number: number;
  readonly parity: "even" | "odd";
}

export const KEYS = 50;

export const draftOf = (publisher: number, number: number): object => ({
  id: `${publisher}-${number}`,
  type: "order.created",
  source: "/crash",
  key: `k${(publisher * 17 + number) % KEYS}`,
  data: { publisher, number, parity: number % 2 === 0 ? "even" : "odd" } satisfies OrderData,
});

/** Three events that no target ever takes. All rows match them. */
export const POISON: ReadonlySet<string> = new Set(["0-30", "1-42", "2-54"]);
