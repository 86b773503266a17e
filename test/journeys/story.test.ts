/** What operators are told of deliveries: by state, by event, with as many attempts as the owner asked for. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { DeliveryReport, SubscriptionStats } from "../../src/core/subscription-report.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = await Promise.all([startHub(), Sink.open()]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
beforeEach(() => sink.respond(({ attempt }) => (attempt === 1 ? { status: 500, body: "not yet" } : 204)));

async function tell(name: string, attempts: string, more: object = {}): Promise<void> {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const retry = { maxAttempts: 3, schedule: ["50ms"] };
  const body = { topics: [name], target, retry, attempts, ...more };
  const { status, body: made } = await hub.json("PUT", `/v1/subscriptions/${name}`, body);
  expect([status, made["attempts"]]).toEqual([201, attempts]);
}

const deliveries = async (name: string, query: string): Promise<readonly DeliveryReport[]> =>
  (await hub.json<{ items: DeliveryReport[] }>("GET", `/v1/subscriptions/${name}/deliveries?${query}`)).body.items;

const stats = async (name: string): Promise<SubscriptionStats> =>
  (await hub.json<{ stats: SubscriptionStats }>("GET", `/v1/subscriptions/${name}`)).body.stats;

it("[EPH-12] with `all`, what was delivered is listed with every attempt, page by page, and found by its event", async () => {
  await tell("all", "all");
  await hub.publish(
    "all",
    [1, 2, 3].map((n) => ({ type: "t", id: `e${n}`, data: n })),
  );
  await eventually(
    () => stats("all"),
    ({ delivered }) => delivered === 3,
    "all are delivered",
  );
  const listed = await deliveries("all", "state=delivered");
  expect(listed.map(({ offset }) => offset).toSorted()).toEqual([1, 2, 3]);
  for (const { attempts, state, nextAttemptAt } of listed) {
    expect([state, nextAttemptAt]).toEqual(["delivered", null]);
    expect(attempts).toMatchObject([{ status: 500, excerpt: "not yet" }, { status: 204 }]);
  }
  const path = "/v1/subscriptions/all/deliveries?state=delivered&limit=2";
  const first = await hub.json<{ items: DeliveryReport[]; cursor: string }>("GET", path);
  const rest = await hub.json<{ items: DeliveryReport[] }>("GET", `${path}&cursor=${first.body.cursor}`);
  expect([...first.body.items, ...rest.body.items]).toEqual(listed);
  expect(await deliveries("all", "event=e2")).toEqual(listed.filter(({ offset }) => offset === 2));
  expect(await deliveries("all", "event=e2&state=dead")).toEqual([]);
  expect(await deliveries("all", "event=not-there")).toEqual([]);
});

it("[EPH-13] with `failures` what was delivered leaves nothing, with `none` what failed leaves no attempts", async () => {
  await tell("failures", "failures");
  await tell("none", "none");
  await Promise.all([hub.publish("failures", { type: "t", id: "f" }), hub.publish("none", { type: "t", id: "n" })]);
  for (const name of ["failures", "none"]) {
    await eventually(
      () => stats(name),
      ({ delivered }) => delivered === 1,
      "it is delivered",
    );
    expect(await deliveries(name, "state=delivered")).toEqual([]);
  }
  sink.respond(() => 422);
  await hub.publish("none", { type: "t", id: "dies" });
  const [dead] = await eventually(
    () => deliveries("none", "event=dies"),
    ([found]) => found?.state === "dead",
    "dead",
  );
  expect(dead!.attempts).toEqual([]);
});

it("[EPH-14] an event is found wherever its delivery stands: owed with its next attempt, in flight, dead", async () => {
  await tell("places", "failures", { retry: { maxAttempts: 2, schedule: ["1h"] }, timeout: "10s" });
  sink.respond(({ event }) => {
    if (event.id === "hangs") return { delayMs: 3_000 };
    return event.id === "dies" ? 422 : 500;
  });
  await hub.publish(
    "places",
    ["waits", "dies", "hangs"].map((id) => ({ type: "t", id })),
  );
  const found = (event: string): Promise<readonly DeliveryReport[]> => deliveries("places", `event=${event}`);
  await eventually(
    () => found("dies"),
    ([delivery]) => delivery?.state === "dead",
    "one is dead",
  );
  const [waits] = await eventually(
    () => found("waits"),
    ([delivery]) => typeof delivery?.nextAttemptAt === "string",
    "it waits",
  );
  expect(waits).toMatchObject({ state: "owed", attempts: [{ status: 500 }] });
  expect(await found("hangs")).toMatchObject([{ state: "in_flight", attempts: [] }]);
});

it.each(["some", 7])("[EPH-13] %j attempts are refused with a pointer", async (attempts) => {
  const body = { topics: ["x"], target: { kind: "listener", name: "analytics" }, attempts };
  expect(await hub.json("PUT", "/v1/subscriptions/never", body)).toMatchObject({
    status: 422,
    body: { code: "subscription_invalid", errors: [{ pointer: "/attempts" }] },
  });
});
