/** Orders by state: a projection that is folded exactly once, and built anew beside the one that is read. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readOrdersByState, type StateCount } from "../../src/store/orders-by-state-store.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { eventually } from "../harness/wait.ts";

const APP = "app_default";
const STATES = ["created", "paid", "packed", "shipped"];
const SEED = Number(process.env["PROJECTION_SEED"] ?? Math.trunc(Math.random() * 1_000_000));
const ORDERS = 30;
/** What a killed consumer had claimed goes out again when its lease has run out, 10 s after the timeout. */
const LEASES_LAPSE_MS = 40_000;

let hub: Hub;
let db: D1Database;
const random = seededRandom(SEED);

beforeAll(async () => {
  console.log(`PROJECTION_SEED=${SEED}`);
  hub = await startHub();
  db = await hub.database();
});
afterAll(() => hub.close());

const publishOrders = (count: number) =>
  hub.publish(
    "orders",
    Array.from({ length: count }, () => ({
      type: `order.${STATES[Math.floor(random() * STATES.length)]}`,
      key: `order-${Math.floor(random() * ORDERS)}`,
    })),
  );

const project = async (name: string) => {
  const definition = {
    topics: ["orders"],
    startFrom: "earliest",
    target: { kind: "listener", name: "orders-by-state" },
    retry: { maxAttempts: 50, schedule: ["50ms"] },
    timeout: "1s",
  };
  expect((await hub.json("PUT", `/v1/subscriptions/${name}`, definition)).status).toBe(201);
};

const statsOf = async (name: string) =>
  (await hub.json<{ stats: Record<string, number> }>("GET", `/v1/subscriptions/${name}`)).body.stats;

const settled = (name: string) =>
  eventually(
    () => statsOf(name),
    (stats) => stats["owed"] === 0 && stats["lag"] === 0,
    `${name} has settled`,
    LEASES_LAPSE_MS,
  );

/** What anybody makes of the log who reads it from its beginning. */
async function foldLog(): Promise<StateCount[]> {
  const stateByOrder = new Map<string, string>();
  for (const { type, partitionkey } of await hub.readAll("orders"))
    stateByOrder.set(String(partitionkey), type.slice("order.".length));
  const orders = Map.groupBy(stateByOrder.values(), (state) => state);
  return [...orders]
    .map(([state, { length }]) => ({ state, orders: length }))
    .toSorted((left, right) => left.state.localeCompare(right.state));
}

const eventsOf = async (): Promise<number[]> => {
  const { results } = await db.prepare("SELECT events FROM order_generations ORDER BY generation").all();
  return results.map((row) => Number(row["events"]));
};

it(
  "[PRJ-2] counts every event once and ends where a fold of the log does, whatever is killed on the way",
  async () => {
    await project("orders-1");
    for (const size of [150, 200]) {
      await publishOrders(size);
      await eventually(eventsOf, ([events = 0]) => events >= size / 2, "some are folded");
      if (size === 200) await hub.killRuntime();
    }
    expect(await settled("orders-1")).toMatchObject({ matched: 350, delivered: 350 });
    db = await hub.database();
    expect(await eventsOf()).toEqual([350]);
    expect(await readOrdersByState(db, APP)).toEqual(await foldLog());

    await hub.json("POST", "/v1/subscriptions/orders-1/seek", { to: "earliest" });
    expect(await settled("orders-1")).toMatchObject({ matched: 700, delivered: 700 });
    await hub.json("POST", "/v1/subscriptions/orders-1/replay", { mode: "force", from: "offset:300", partition: 0 });
    expect(await settled("orders-1")).toMatchObject({ matched: 751, delivered: 751 });
    expect(await eventsOf()).toEqual([350]);
    expect(await readOrdersByState(db, APP)).toEqual(await foldLog());
  },
  LEASES_LAPSE_MS + 20_000,
);

it("[PRJ-3] is built anew beside the one that is read, which no order leaves and none falls back in", async () => {
  const watcher = watchOrders();
  await project("orders-2");
  for (let batch = 0; batch < 4; batch += 1) await publishOrders(25);
  await Promise.all([settled("orders-1"), settled("orders-2")]);
  await publishOrders(1); // Whatever came last, the next event finds it complete.
  await Promise.all([settled("orders-1"), settled("orders-2")]);
  expect(await watcher.end()).toEqual([]);

  expect(await generationRead()).toBe(2);
  expect(await eventsOf()).toEqual([451, 451]);
  expect(await readOrdersByState(db, APP)).toEqual(await foldLog());
  // Nothing of the first is kept, and what it still brings does not stay.
  expect(await db.prepare("SELECT count(*) AS rows FROM orders_by_state").first("rows")).toBe(ORDERS);
  expect((await hub.request("/v1/subscriptions/orders-1", { method: "DELETE" })).status).toBe(204);
});

it("[PRJ-3] never takes over when retention has cut it short", async () => {
  await hub.json("PUT", "/v1/topics/orders", { retention: { maxEvents: 20 } });
  await eventually(
    () => hub.readAll("orders"),
    (events) => events.length <= 20,
    "most of the log is gone",
  );
  await project("orders-3");
  await publishOrders(30);
  await Promise.all([settled("orders-2"), settled("orders-3")]);
  expect((await eventsOf())[2]).toBeLessThan(451);
  expect(await generationRead()).toBe(2);
});

it("[PRJ-7] shows each write to who asks with its cursor first, from whichever partition, evicted or not", async () => {
  await hub.json("POST", "/v1/apps", { name: "till" });
  const app = String(await db.prepare("SELECT id FROM apps WHERE name = 'till'").first("id"));
  const inTill = { "tidings-app": "till" };
  await hub.json("PUT", "/v1/topics/orders", { partitions: 4 }, inTill);
  const target = { kind: "listener", name: "orders-by-state" };
  await hub.json("PUT", "/v1/subscriptions/states", { topics: ["orders"], startFrom: "earliest", target }, inTill);
  const turn = (verb: string) => hub.json("POST", `/v1/subscriptions/states/${verb}`, {}, inTill);
  for (let round = 0; round < 12; round += 1) {
    const state = `state-${String(round).padStart(2, "0")}`;
    const draft = { type: `order.${state}`, key: `order-${round}` };
    const isHeld = round % 4 === 1;
    if (isHeld) await turn("pause");
    const { cursor } = (await hub.publish("orders", [draft], inTill)).body.events[0]!;
    const ask = (wait: string) => {
      const query = new URLSearchParams({ topic: "orders", minCursor: cursor, wait });
      return hub.json("GET", `/v1/subscriptions/states/settled?${query}`, undefined, inTill);
    };
    if (isHeld) expect((await ask("0s")).body).toMatchObject({ reached: false });
    if (isHeld) await turn("resume");
    if (round % 4 === 3) await hub.evictAll("Subscription");
    expect(await ask("30s")).toMatchObject({ status: 200, body: { reached: true } });
    expect(await readOrdersByState(db, app)).toContainEqual({ state, orders: 1 });
  }
});

/** 1: that of the subscription that was first. */
const generationRead = (): Promise<unknown> =>
  db
    .prepare(
      `SELECT count(*) AS place FROM order_generations
       WHERE generation <= (SELECT generation FROM orders_by_state_live WHERE app = ?1)`,
    )
    .bind(APP)
    .first("place");

/** Reads over and over what a reader of the projection sees; answers the orders that vanished or went back. */
function watchOrders(): { end(): Promise<string[]> } {
  const offsets = new Map<string, number>();
  const complaints: string[] = [];
  const watch = { isOver: false };
  const running = (async () => {
    while (!watch.isOver) {
      const { results } = await db
        .prepare(
          `SELECT order_id, log_offset FROM orders_by_state JOIN orders_by_state_live USING (generation) WHERE app = ?1`,
        )
        .bind(APP)
        .all<{ order_id: string; log_offset: number }>();
      const seen = new Map(results.map((row) => [row.order_id, row.log_offset]));
      for (const [order, offset] of offsets)
        if ((seen.get(order) ?? 0) < offset) complaints.push(`${order} was at ${offset}, is at ${seen.get(order)}`);
      for (const [order, offset] of seen) offsets.set(order, offset);
    }
  })();
  return {
    async end() {
      watch.isOver = true;
      await running;
      expect(offsets.size).toBeGreaterThan(10);
      return complaints;
    },
  };
}
