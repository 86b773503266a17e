/** Order by key and strict order from outside: what a webhook sees of them while it fails now and then. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { Sink, type ReceivedDelivery } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const KEYS = 20;
const EVENTS = 600;
const BROKEN = "k7";
const SEED = Math.floor(Math.random() * 1e9);

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

interface Stats {
  readonly matched: number;
  readonly delivered: number;
  readonly owed: number;
  readonly skipped: number;
  readonly lag: number;
}

const statsOf = async (name: string): Promise<Stats> =>
  (await hub.json<{ stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body.stats;

const untilStats = (name: string, isSo: (stats: Stats) => boolean, what: string): Promise<Stats> =>
  eventually(() => statsOf(name), isSo, what, 30_000);

const owedOf = (name: string) =>
  hub.json<{ items: { id: string; attempts: unknown[] }[] }>("GET", `/v1/subscriptions/${name}/deliveries`);

const keyOf = ({ event }: ReceivedDelivery): string => (event as { partitionkey?: string }).partitionkey ?? "";

/** Offsets in the order in which each was accepted for the first time. */
const firstAcceptances = (of: (delivery: ReceivedDelivery) => boolean): number[] => [
  ...new Set(sink.accepted.filter(of).map(({ event }) => event.offset)),
];

async function publish(topic: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({ type: "step", key: `k${n % KEYS}`, data: { n } }));
  for (let from = 0; from < count; from += 100) await hub.publish(topic, events.slice(from, from + 100));
}

const subscribe = (name: string, more: object): Promise<{ body: { ordering?: string } }> =>
  hub.json<{ ordering?: string }>("PUT", `/v1/subscriptions/${name}`, {
    topics: [name],
    target: { kind: "webhook", url: `${sink.url}/${name}` },
    ...more,
  });

it(`[DLV-30, DLV-35] keys keep their order and never overlap while one fails for ever (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const latest = new Map<string, ReceivedDelivery>();
  const overlapping: number[] = [];
  sink.respond((delivery) => {
    const before = latest.get(keyOf(delivery));
    if (before !== undefined && !sink.deliveries.includes(before)) overlapping.push(delivery.event.offset);
    latest.set(keyOf(delivery), delivery);
    const status = keyOf(delivery) === BROKEN || random() < 0.1 ? 500 : 204;
    return { status, delayMs: Math.floor(random() * 10) };
  });
  const made = await subscribe("lanes", { ordering: "key", retry: { maxAttempts: 50, schedule: ["20ms"] } });
  expect(made.body.ordering).toBe("key");
  await publish("lanes", EVENTS);

  const others = EVENTS - EVENTS / KEYS;
  const stats = await untilStats(
    "lanes",
    ({ delivered, lag }) => delivered === others && lag === 0,
    "every key but the broken one is delivered",
  );
  expect(stats).toMatchObject({ matched: EVENTS, owed: EVENTS / KEYS });
  expect(overlapping).toEqual([]);
  for (let key = 0; key < KEYS; key += 1) {
    const offsets = firstAcceptances((delivery) => keyOf(delivery) === `k${key}`);
    expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
    expect(offsets).toHaveLength(`k${key}` === BROKEN ? 0 : EVENTS / KEYS);
  }

  // Its head is skipped, its target is mended, and the rest of it follows.
  const { body } = await owedOf("lanes");
  expect(body.items).toHaveLength(EVENTS / KEYS);
  const skipped = await eventually(
    () => hub.json("POST", "/v1/subscriptions/lanes/skip", { id: body.items[0]!.id }),
    ({ status }) => status === 200, // Until it waits: it may be under way.
    "the head is skipped",
  );
  expect(skipped.body).toEqual({ id: body.items[0]!.id });
  sink.respond(() => 204);
  await untilStats("lanes", ({ owed }) => owed === 0, "the broken key is well again");
  expect(await statsOf("lanes")).toMatchObject({ matched: EVENTS, delivered: EVENTS - 1, skipped: 1 });
  const broken = firstAcceptances((delivery) => keyOf(delivery) === BROKEN);
  expect(broken).toEqual(broken.toSorted((left, right) => left - right));
  const audit = await hub.json<{ items: { action: string; after: unknown }[] }>("GET", "/v1/audit?limit=1000");
  expect(audit.body.items.find(({ action }) => action === "delivery.skipped")?.after).toEqual({
    id: body.items[0]!.id,
  });
});

it("[DLV-31, DLV-36] a failure stops a strict subscription, and a retry at once lets it go on in order", async () => {
  let isBroken = true;
  sink.respond(({ path, event }) => (path === "/strict" && event.offset === 5 && isBroken ? 500 : 204));
  await subscribe("strict", { ordering: "strict", retry: { maxAttempts: 3, schedule: ["1h"] } });
  await publish("strict", 50);
  await untilStats("strict", ({ delivered }) => delivered === 4, "four are delivered");
  const { body } = await eventually(
    () => owedOf("strict"),
    (answer) => answer.body.items[0]?.attempts.length === 1,
    "the fifth has failed",
  );
  const stopped = await statsOf("strict");
  expect([stopped.delivered, stopped.owed + stopped.lag]).toEqual([4, 46]);
  isBroken = false;
  expect((await hub.json("POST", "/v1/subscriptions/strict/retry", { id: body.items[0]!.id })).status).toBe(200);
  await untilStats("strict", ({ delivered }) => delivered === 50, "all are delivered");
  expect(firstAcceptances(({ path }) => path === "/strict")).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
});
