/** A dead endpoint seen from outside: it is left alone, asked now and then, and gets all that it missed when it is back. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { EndpointHealthReport, SubscriptionStats } from "../../src/core/subscription-report.ts";
import { startHub, type Hub, type Page } from "../harness/hub.ts";
import { Sink, type ReceivedDelivery } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface View {
  readonly state: string;
  readonly health: EndpointHealthReport;
  readonly stats: SubscriptionStats;
}

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = await Promise.all([startHub(), Sink.open()]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
afterEach(() => {
  sink.respond(() => 204);
  sink.deliveries.length = 0;
  sink.accepted.length = 0;
});

async function subscribe(name: string, more: object): Promise<void> {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const { status } = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: [name], target, ...more });
  expect(status).toBe(201);
}

const publish = (topic: string, events: number) =>
  hub.publish(
    topic,
    Array.from({ length: events }, (_, n) => ({ type: "t", data: n })),
  );

const view = async (name: string): Promise<View> => (await hub.json<View>("GET", `/v1/subscriptions/${name}`)).body;

const whenIt = (name: string, is: (seen: View) => boolean, what: string): Promise<View> =>
  eventually(() => view(name), is, what);

const PROBE_MS = 1_000;

it("[EPH-9] stops the attempts, sends probes, survives a crash, and drains when it is well again", async () => {
  await subscribe("dead", {
    breaker: { failures: 5, over: "0s", probeEvery: "1s" },
    retry: { maxAttempts: 50, schedule: ["100ms"] },
    timeout: "1s",
  });
  sink.respond(() => 500);
  await publish("dead", 60);
  const { health } = await whenIt("dead", (seen) => seen.health.state !== "closed", "the breaker is open");
  expect(health).toMatchObject({ since: expect.any(String), nextProbeAt: expect.any(String) });
  expect(health.failures).toBeGreaterThanOrEqual(5);

  await whenIt("dead", (now) => now.stats.inFlight === 0, "what was under way has ended");
  const seen = sink.deliveries.length;
  await sink.until(({ deliveries }) => deliveries.length >= seen + 3, "three probes");
  const probes = sink.deliveries.slice(seen, seen + 3);
  for (const [index, probe] of probes.entries()) {
    if (index > 0) expect(probe.receivedAt - probes[index - 1]!.receivedAt).toBeGreaterThanOrEqual(0.9 * PROBE_MS);
  }

  // A claim that dies would be waited for; here the breaker's memory is what matters.
  await whenIt("dead", (now) => now.stats.inFlight === 0, "the probe is settled");
  await hub.killRuntime();
  expect((await view("dead")).health.state).not.toBe("closed");
  sink.respond(() => 204);
  const well = await whenIt("dead", ({ stats }) => stats.delivered === 60, "everything is delivered");
  expect(well.health).toEqual({ state: "closed", failures: 0, since: null, nextProbeAt: null });
  expect(well.stats).toMatchObject({ matched: 60, owed: 0, dead: 0 });
  expect(hub.logs.map(({ stage }) => stage)).toEqual(
    expect.arrayContaining(["endpoint.failing", "endpoint.recovered"]),
  );
});

it("[EPH-5, EPH-8] one that is dead for too long is disabled; resumed, it gets all that it is owed", async () => {
  await subscribe("given-up", {
    breaker: { failures: 3, over: "0s", probeEvery: "1s" },
    disableAfter: "1s",
    retry: { maxAttempts: 50, schedule: ["100ms"] },
  });
  sink.respond(() => 500);
  await publish("given-up", 20);
  const { stats } = await whenIt("given-up", ({ state }) => state === "disabled", "it is disabled");
  expect(stats).toMatchObject({ owed: 20, dead: 0 });
  const seen = sink.deliveries.length;
  await publish("given-up", 5);
  const resumed = await hub.json<View>("POST", "/v1/subscriptions/given-up/resume");
  expect(resumed.body).toMatchObject({ state: "active", health: { state: "closed", failures: 0 } });
  sink.respond(() => 204);
  await whenIt("given-up", (now) => now.stats.delivered === 25, "everything is delivered");
  expect(sink.deliveries.slice(0, seen).every(({ attempt }) => attempt >= 1)).toBe(true);
});

it("[EPH-15] tells of it on the topic of operations, in order", async () => {
  await subscribe("never-again", {});
  await subscribe("watcher", { topics: ["$system.operations"] });
  sink.respond(() => 410);
  await publish("never-again", 1);
  const told = async (): Promise<readonly { type: string; data: Record<string, unknown> }[]> => {
    const { body } = await hub.json<Page>("GET", `/v1/topics/${encodeURIComponent("$system.operations")}/events`);
    return body.events.map(({ type, data }) => ({ type, data: data as Record<string, unknown> }));
  };
  const news = await eventually(told, (all) => all.some(({ data }) => data["reason"] === "gone"), "it is told");
  const of = (name: string): string[] =>
    news.filter(({ data }) => data["subscription"] === name).map(({ type }) => type.replace("tidings.", ""));
  expect(of("dead")).toEqual(["endpoint.failing", "endpoint.recovered"]);
  expect(of("given-up").slice(0, 2)).toEqual(["endpoint.failing", "subscription.disabled"]);
  expect(of("never-again")).toEqual(["subscription.disabled"]);
  expect(news[0]!.data).toMatchObject({ failures: expect.any(Number), failingSince: expect.any(String) });
  await whenIt("watcher", ({ state }) => state === "disabled", "its reader is disabled by it");
  expect((await told()).filter(({ data }) => data["subscription"] === "watcher")).toEqual([]);
});

it("[EPH-10] attempts keep their schedule: never earlier than 0.8 of a step, nor than Retry-After asks", async () => {
  await subscribe("paced", { retry: { maxAttempts: 4, schedule: ["500ms", "1s", "300ms"] } });
  sink.respond(({ attempt }) => {
    if (attempt === 3) return { status: 429, headers: { "retry-after": "2" } };
    return attempt < 4 ? 500 : 204;
  });
  await publish("paced", 3);
  await sink.until(({ accepted }) => accepted.length === 3, "all are accepted");
  const paced = sink.deliveries.filter(({ path }) => path === "/paced");
  const byId = Map.groupBy(paced, ({ id }) => id);
  expect(byId.size).toBe(3);
  for (const attempts of byId.values()) expect(gapsOf(attempts)).toEqual([true, true, true]);
});

const WAITS_MS = [0.8 * 500, 0.8 * 1_000, 2_000];
const gapsOf = (attempts: readonly ReceivedDelivery[]): boolean[] =>
  attempts.slice(1).map(({ receivedAt }, index) => receivedAt - attempts[index]!.receivedAt >= WAITS_MS[index]!);

it("[EPH-10] no attempt follows a 410, nor a pause", async () => {
  const retry = { maxAttempts: 50, schedule: ["100ms"] };
  await subscribe("gone", { retry });
  await subscribe("paused", { retry });
  sink.respond(({ path }) => (path === "/gone" ? 410 : 500));
  await Promise.all([publish("gone", 1), publish("paused", 1)]);
  await whenIt("gone", ({ state }) => state === "disabled", "it is disabled");
  await sink.until(({ deliveries }) => deliveries.some(({ path }) => path === "/paused"), "one attempt");
  await hub.json("POST", "/v1/subscriptions/paused/pause");
  await whenIt("paused", ({ stats }) => stats.inFlight === 0, "what was under way has ended");
  const seen = sink.deliveries.length;
  // Another subscription lives through ten steps of that schedule meanwhile.
  await subscribe("clock", { retry });
  await publish("clock", 1);
  await sink.until(
    ({ deliveries }) => deliveries.filter(({ path }) => path === "/clock").length === 10,
    "ten attempts",
  );
  expect(sink.deliveries.slice(seen).filter(({ path }) => path !== "/clock")).toEqual([]);
});
