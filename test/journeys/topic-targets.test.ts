/** Subscriptions that publish what they are owed into another topic. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const MAX = LIMITS.REPUBLISH_HOPS_MAX;
const FAST = { maxAttempts: 2, schedule: ["20ms"] };
/** What a killed consumer had claimed goes out again when its lease has run out, 10 s after the timeout. */
const LEASES_LAPSE_MS = 40_000;
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const connect = async (from: string, to: string, more: object = {}) => {
  const body = { topics: [from], target: { kind: "topic", topic: to }, retry: FAST, ...more };
  const { status } = await hub.json("PUT", `/v1/subscriptions/${from}-to-${to}`, body);
  expect(status).toBe(201);
};

const eventsOf = (topic: string, count: number): Promise<readonly WireEvent[]> =>
  eventually(
    () => hub.readAll(topic).catch((): WireEvent[] => []),
    (events) => events.length >= count,
    `${count} in ${topic}`,
  );

const statsOf = async (name: string): Promise<Record<string, number>> =>
  (await hub.json<{ stats: Record<string, number> }>("GET", `/v1/subscriptions/${name}`)).body.stats;

const settled = (name: string, matched: number): Promise<Record<string, number>> =>
  eventually(
    () => statsOf(name),
    (stats) => stats["matched"] === matched && stats["owed"] === 0 && stats["lag"] === 0,
    `${name} has settled ${matched}`,
    LEASES_LAPSE_MS,
  );

describe("a topic as a target", () => {
  it("[TGT-4] gets each event as the CloudEvent that it was, and makes the topic by the first", async () => {
    await connect("orders", "archive");
    const sent = {
      id: "order-1",
      type: "order.created",
      source: "/shop",
      subject: "42",
      key: "customer-7",
      time: "2026-01-02T03:04:05.678Z",
      dataschema: "https://example.com/order",
      data: { total: 1.1, big: 12345678901234567890n.toString(), text: "ж \u2028" },
      traceparent: TRACEPARENT,
    };
    await hub.publish("orders", JSON.stringify(sent).replace(`"12345678901234567890"`, "12345678901234567890"));
    const [copy] = await eventsOf("archive", 1);
    const [first] = await hub.readAll("orders");
    const { topic, appendedat, hubhops, ...rest } = copy as WireEvent & { hubhops: number; appendedat: string };
    expect([topic, hubhops]).toEqual(["archive", 1]);
    expect(appendedat).toMatch(/^\d{4}-/);
    expect(rest).toEqual({ ...first, topic: undefined, appendedat: undefined });
    const text = await (await hub.request("/v1/topics/archive/events")).text();
    expect(text).toContain(`"big":12345678901234567890,`);
  });

  it("[TGT-4] gets binary data, and puts events of one key in one partition, in their order", async () => {
    await hub.json("PUT", "/v1/topics/wide-copy", { partitions: 4 });
    await connect("narrow", "wide-copy", { ordering: "key" });
    const drafts = Array.from({ length: 24 }, (_, n) => ({ type: "n", key: `k${n % 6}`, data_base64: btoa(`${n}`) }));
    await hub.publish("narrow", drafts);
    const copies = await eventsOf("wide-copy", 24);
    const byKey = Map.groupBy(copies, ({ partitionkey }) => partitionkey);
    for (const [key, events] of byKey) {
      expect(new Set(events.map(({ partition }) => partition)).size, `${key} is in one partition`).toBe(1);
      const sent = events.map((event) => Number(atob((event as unknown as { data_base64: string }).data_base64)));
      expect(sent).toEqual(sent.toSorted((left, right) => left - right));
    }
    expect(new Set(copies.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  it(
    "[TGT-5] holds each event once, whatever is killed between the append and the settle",
    async () => {
      await connect("many", "many-copy", { retry: { maxAttempts: 20, schedule: ["50ms"] }, timeout: "1s" });
      const drafts = Array.from({ length: 300 }, (_, n) => ({ type: "n", data: n }));
      await hub.publish("many", drafts);
      await eventsOf("many-copy", 50);
      await hub.killRuntime();
      expect(await settled("many-to-many-copy", 300)).toMatchObject({ delivered: 300 });
      const [sent, copied] = [await hub.readAll("many"), await hub.readAll("many-copy")];
      expect(copied.map(({ id }) => id).toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
    },
    LEASES_LAPSE_MS,
  );

  it("[TGT-5] that holds another event of the same source and id makes a dead letter at once", async () => {
    await connect("clash", "clash-copy");
    await hub.publish("clash-copy", { id: "same", type: "other", data: 1 });
    await hub.publish("clash", { id: "same", type: "one", data: 2 });
    await settled("clash-to-clash-copy", 1);
    const { body } = await hub.json<{ items: object[] }>("GET", "/v1/subscriptions/clash-to-clash-copy/dead-letters");
    expect(body.items).toMatchObject([
      { reason: "rejected", attempts: [{ excerpt: expect.stringMatching(/^event_id_conflict: /) }] },
    ]);
  });
});

describe("a way from topic to topic", () => {
  it("[TGT-6] ends after so many steps in a dead letter that says loop", async () => {
    const steps = Array.from({ length: MAX + 2 }, (_, step) => `step-${step}`);
    for (const [index, from] of steps.slice(0, -1).entries()) await connect(from, steps[index + 1]!);
    await hub.publish("step-0", { type: "walks", data: 1 });
    const last = `step-${MAX}-to-step-${MAX + 1}`;
    expect(await settled(last, 1)).toMatchObject({ dead: 1 });
    const { body } = await hub.json<{ items: object[] }>("GET", `/v1/subscriptions/${last}/dead-letters`);
    expect(body.items).toMatchObject([{ reason: "loop", attempts: [{ error: "loop" }], event: { hubhops: MAX } }]);
    expect((await hub.json("GET", `/v1/topics/step-${MAX + 1}`)).status).toBe(404);
  });

  it("[TGT-6] that leads back ends by the event's own id", async () => {
    await connect("there", "back");
    await connect("back", "there");
    await hub.publish("there", { id: "round", type: "walks" });
    await settled("there-to-back", 1);
    await settled("back-to-there", 1);
    expect((await hub.readAll("there")).length + (await hub.readAll("back")).length).toBe(2);
  });

  it("[TGT-6] is counted by the hub alone: a producer's hubhops is dropped", async () => {
    await connect("forged", "forged-copy");
    const event = { specversion: "1.0", id: "f", source: "/f", type: "t", hubhops: MAX };
    await hub.publish("forged", event, { "content-type": "application/cloudevents+json" });
    expect(await eventsOf("forged-copy", 1)).toMatchObject([{ id: "f", hubhops: 1 }]);
  });

  it.each([
    ["loops", "loops"],
    ["**", "loops"],
    ["loops.*", "loops.a"],
  ])("[TGT-6] may not be a circle of one: from %s to %s", async (pattern, topic) => {
    const body = { topics: ["fine", pattern], target: { kind: "topic", topic } };
    expect(await hub.json("PUT", "/v1/subscriptions/circle", body)).toMatchObject({
      status: 422,
      body: { code: "subscription_invalid", errors: [{ pointer: "/target/topic" }] },
    });
  });
});

describe("who may publish through a subscription", () => {
  it("[TGT-7] is who may publish there", async () => {
    const keyOf = async (...scopes: string[]): Promise<string> =>
      (await hub.json<{ key: string }>("POST", "/v1/keys", { name: "maker", scopes })).body.key;
    const body = { topics: ["mine"], target: { kind: "topic", topic: "theirs" } };
    const putAs = async (key: string) =>
      hub.json("PUT", "/v1/subscriptions/through", body, { authorization: `Bearer ${key}` });
    const narrow = await keyOf("manage:subscriptions", "publish:mine");
    expect(await putAs(narrow)).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    const wide = await keyOf("manage:subscriptions", "publish:theirs");
    expect((await putAs(wide)).status).toBe(201);
  });

  it("[TGT-7] pays for it, and the topic that it makes is told to the audit log under the subscription", async () => {
    await hub.json("POST", "/v1/apps", { name: "thrifty", quotas: { eventsPerDay: 3 } });
    const inApp = { "tidings-app": "thrifty" };
    const body = { topics: ["in"], target: { kind: "topic", topic: "out" }, retry: FAST };
    expect((await hub.json("PUT", "/v1/subscriptions/through", body, inApp)).status).toBe(201);
    await hub.publish("in", [{ type: "n" }, { type: "n" }], inApp);
    const owed = await eventually(
      () =>
        hub.json<{ items: { attempts: object[] }[] }>("GET", "/v1/subscriptions/through/deliveries", undefined, inApp),
      ({ body: { items } }) => items.some(({ attempts }) => attempts.length > 0),
      "the fourth event of the day waits",
    );
    expect(owed.body.items).toMatchObject([{ attempts: [{ status: 429 }] }]);
    const audit = await hub.json<{ items: object[] }>("GET", "/v1/audit?limit=100", undefined, inApp);
    expect(audit.body.items).toContainEqual(
      expect.objectContaining({ action: "topic.created", subject: "out", actor: "subscription:through" }),
    );
  });
});
