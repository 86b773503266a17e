import { beforeAll, expect, it } from "vitest";
import { attemptDelivery } from "../../src/delivery/attempt.ts";
import { readOrdersByState } from "../../src/store/orders-by-state-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { makeDefinition } from "../durable-objects/ledger-world.ts";
import { seededRandom } from "../harness/random.ts";

const SEED = Math.trunc(Math.random() * 1_000_000);
const STATES = ["created", "paid", "packed", "shipped"];
const EVENTS = 120;

beforeAll(() => migrateDatabase());

const deliver = (offset: number, event: object) =>
  attemptDelivery(env, {
    definition: makeDefinition({ id: "sub_orders", target: { kind: "listener", name: "orders-by-state" } }),
    delivery: {
      id: `msg_sub_orders_1_${offset}`,
      source: 1,
      topic: "orders",
      partition: 0,
      epoch: 1,
      offset,
      attempt: 1,
      redrive: false,
      line: null,
    },
    line: JSON.stringify({ topic: "orders", partition: 0, offset, ...event }),
  });

it(`[PRJ-2] ends where a fold of the log does, whichever delivery overtakes which or comes again (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const log = Array.from({ length: EVENTS }, (_, index) => ({
    offset: index + 1,
    type: `order.${STATES[Math.floor(random() * STATES.length)]}`,
    partitionkey: `order-${Math.floor(random() * 12)}`,
  }));
  const times = log.flatMap((event) => Array.from({ length: 1 + Math.floor(random() * 3) }, () => event));
  const shuffled = times.map((event) => ({ event, at: random() })).toSorted((left, right) => left.at - right.at);
  while (shuffled.length > 0) {
    const together = shuffled.splice(0, 1 + Math.floor(random() * 6));
    const outcomes = await Promise.all(together.map(({ event }) => deliver(event.offset, event)));
    expect(outcomes.filter(({ kind }) => kind !== "accepted")).toEqual([]);
  }
  const stateByOrder = new Map(log.map(({ partitionkey, type }) => [partitionkey, type.slice("order.".length)]));
  const expected = Map.groupBy(stateByOrder.values(), (state) => state);
  const read = await readOrdersByState(env.DB, "app_test");
  expect(new Map(read.map(({ state, orders }) => [state, orders]))).toEqual(
    new Map([...expected].map(([state, orders]) => [state, orders.length])),
  );
  expect(await env.DB.prepare("SELECT events FROM order_generations").first("events")).toBe(EVENTS);
});

it("[PRJ-2] leaves out what is of no order", async () => {
  expect(await deliver(EVENTS + 1, { type: "note.written" })).toMatchObject({ kind: "accepted" });
  expect(await env.DB.prepare("SELECT events FROM order_generations").first("events")).toBe(EVENTS);
});
