/** Batches and rates from outside: what a webhook gets of them. */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink, type ReceivedDelivery } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

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
  readonly dead: number;
  readonly lag: number;
}

const statsOf = async (name: string): Promise<Stats> =>
  (await hub.json<{ stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body.stats;

const eventsOf = ({ body }: ReceivedDelivery): WireEvent[] => JSON.parse(body) as WireEvent[];
const offsetsOf = (delivery: ReceivedDelivery): number[] => eventsOf(delivery).map(({ offset }) => offset);
const cameTo = (name: string): ReceivedDelivery[] => sink.deliveries.filter(({ path }) => path === `/${name}`);

const publish = (topic: string, count: number) =>
  hub.publish(
    topic,
    Array.from({ length: count }, (_, n) => ({ type: "step", id: `e${n}`, data: { n } })),
  );

const subscribe = async (name: string, more: object): Promise<string> => {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const { body } = await hub.json<{ target: { secret: string } }>("PUT", `/v1/subscriptions/${name}`, {
    topics: [name],
    target,
    ...more,
  });
  return body.target.secret;
};

it("[DLV-37] a batch is one signed request with its events in order, full or after its wait, over an eviction", async () => {
  const secret = await subscribe("box", { mode: "batch", batch: { maxEvents: 20, maxWait: "700ms" } });
  await publish("box", 45);
  await hub.evictAll("Subscription");
  await sink.until(() => cameTo("box").flatMap(offsetsOf).length >= 45);
  const batches = cameTo("box").toSorted((left, right) => offsetsOf(left)[0]! - offsetsOf(right)[0]!);
  expect(batches.flatMap(offsetsOf)).toEqual(Array.from({ length: 45 }, (_, n) => n + 1));
  expect(Math.max(...batches.map((delivery) => offsetsOf(delivery).length))).toBeLessThanOrEqual(20);
  expect(batches.length).toBeLessThanOrEqual(4);
  for (const { headers, body, id } of batches) {
    expect(headers["content-type"]).toBe("application/cloudevents-batch+json; charset=utf-8");
    expect(id).toMatch(/^bat_[^.]+$/);
    new Webhook(secret).verify(body, headers);
  }
  expect(new Set(batches.map(({ id }) => id)).size).toBe(batches.length);
  await eventually(
    () => statsOf("box"),
    ({ delivered, owed, lag }) => delivered === 45 && owed === 0 && lag === 0,
    "the books are closed",
  );
});

it("[DLV-39] of a batch that was taken in part only the rest goes again; a refused one goes again as it was", async () => {
  sink.respond((delivery) => {
    if (delivery.path !== "/parts") return 204;
    const isWhole = eventsOf(delivery).length === 10;
    if (isWhole && delivery.attempt === 1) return 503;
    if (!isWhole) return 204;
    return { status: 200, body: JSON.stringify({ failed: [{ id: "e3", reason: "sold out" }, { id: "e7" }] }) };
  });
  await subscribe("parts", {
    mode: "batch",
    batch: { maxEvents: 10, maxWait: "10s" },
    retry: { maxAttempts: 5, schedule: ["50ms"] },
  });
  await publish("parts", 10);
  await eventually(
    () => statsOf("parts"),
    ({ delivered }) => delivered === 10,
    "all are delivered",
  );
  const [first, second, third] = cameTo("parts") as [ReceivedDelivery, ReceivedDelivery, ReceivedDelivery];
  expect(cameTo("parts")).toHaveLength(3);
  expect([second.id, second.body]).toEqual([first.id, first.body]);
  expect(third.id).not.toBe(first.id);
  expect(eventsOf(third).map(({ id }) => id)).toEqual(["e3", "e7"]);
});

it("[DLV-38] never more calls than the rate allows, and no fewer than it promises", async () => {
  sink.respond(() => 204);
  await subscribe("slowly", { ratePerSecond: 20 });
  await publish("slowly", 70);
  await eventually(
    () => statsOf("slowly"),
    ({ delivered }) => delivered === 70,
    "all are delivered",
  );
  const times = cameTo("slowly").map(({ receivedAt }) => receivedAt);
  expect(times).toHaveLength(70);
  // One second's worth at first, then 20 a second: the other 50 take two and a half seconds.
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(2_000);
});
