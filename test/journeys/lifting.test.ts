import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCloudEvent } from "../builders/cloudevents.ts";
import { bearer } from "../builders/tokens.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

const object = (properties: object, ...required: string[]) => ({ type: "object", properties, required });
const MONEY = object({ amount: { type: "number" }, currency: { type: "string" } }, "amount", "currency");

/** Three versions of an order, each with how events of the one before become its own. */
const VERSIONS = [
  { schema: object({ id: { type: "string" }, total: { type: "number" } }, "id", "total"), compatibility: "none" },
  {
    schema: object({ orderId: { type: "string" }, total: MONEY }, "orderId", "total"),
    upcast: [
      { op: "rename", path: "/id", to: "orderId" },
      { op: "wrap", path: "/total", in: "amount" },
      { op: "default", path: "/total/currency", value: "EUR" },
    ],
  },
  {
    schema: object({ orderId: { type: "string" }, payment: object({ total: MONEY }, "total") }, "orderId", "payment"),
    upcast: [{ op: "move", from: "/total", path: "/payment/total" }],
  },
];
const DATA = [
  '{"id":"a","total":12.50}',
  '{"orderId":"b","total":{"amount":7,"currency":"USD"}}',
  '{"orderId":"c","payment":{"total":{"amount":1.0,"currency":"EUR"}}}',
];
const LIFTED = [
  '{"orderId":"a","payment":{"total":{"amount":12.50,"currency":"EUR"}}}',
  '{"orderId":"b","payment":{"total":{"amount":7,"currency":"USD"}}}',
  DATA[2],
].map((text) => JSON.parse(text!) as unknown);

const TYPE = "order.lifted";
const PIN = { [TYPE]: 3 };
const pinned = encodeURIComponent(JSON.stringify(PIN));

const put = (type: string, body: object) =>
  hub.json<{ code: string; errors?: { pointer: string }[] }>("PUT", `/v1/schemas/${type}`, body);

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
  await hub.json("PUT", "/v1/topics/orders", { schemaPolicy: "enforce" });
  for (const [index, version] of VERSIONS.entries()) {
    expect((await put(TYPE, version)).status).toBe(201);
    expect((await hub.publish("orders", `{"type":"${TYPE}","data":${DATA[index]!}}`)).status).toBe(201);
  }
  await hub.publish("orders", { type: "other", data: 1 });
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

interface Pulled {
  readonly deliveries: readonly { readonly event: WireEvent }[];
}

const ordersOf = (events: readonly WireEvent[]): WireEvent[] => events.filter(({ type }) => type === TYPE);

function expectLifted(events: readonly WireEvent[]): void {
  const orders = ordersOf(events);
  expect(orders.map(({ data }) => data)).toEqual(LIFTED);
  for (const event of orders) {
    expectCloudEvent(event);
    expect(event).toMatchObject({ schemaversion: 3, dataschema: `tidings:/v1/schemas/${TYPE}/versions/3` });
  }
}

describe("a reader that asks for version 3", () => {
  it("[SCH-14] reads events of the first version lifted, on pages, by long poll and as a stream", async () => {
    const page = await hub.read("orders", { schemas: JSON.stringify(PIN) });
    expect(page.events).toHaveLength(4);
    expectLifted(page.events);
    const raw = await hub.request(`/v1/topics/orders/events?schemas=${pinned}`);
    expect(await raw.text()).toContain('"amount":12.50');
    const waited = hub.json<{ events: WireEvent[] }>(
      "GET",
      `/v1/topics/orders.later/events?wait=20s&schemas=${pinned}`,
    );
    await eventually(
      () => hub.json("GET", "/v1/topics/orders.later"),
      ({ status }) => status === 200,
      "the long poll has made its topic",
    );
    await hub.json("PUT", "/v1/topics/orders.later", { schemaPolicy: "enforce" });
    const dataschema = `tidings:/v1/schemas/${TYPE}/versions/1`;
    await hub.publish("orders.later", `{"type":"${TYPE}","dataschema":"${dataschema}","data":${DATA[0]!}}`);
    expect((await waited).body.events.map(({ data }) => data)).toEqual([LIFTED[0]]);

    const search = new URLSearchParams({ token: ROOT_KEY, from: "earliest", schemas: JSON.stringify(PIN) });
    const source = new EventSource(`${hub.url}/v1/topics/orders/events?${search}`);
    const events: WireEvent[] = [];
    source.addEventListener("event", ({ data }) => events.push(JSON.parse(data as string) as WireEvent));
    await eventually(
      () => events.length,
      (count) => count === 4,
      "the stream has brought everything",
    );
    source.close();
    expectLifted(events);
  });

  it("[SCH-14] reads later versions as they stand, and without asking everything", async () => {
    const second = await hub.read("orders", { schemas: JSON.stringify({ [TYPE]: 2 }) });
    expect(
      ordersOf(second.events).map((event) => (event as unknown as { schemaversion: number }).schemaversion),
    ).toEqual([2, 2, 3]);
    const plain = await hub.read("orders");
    expect(ordersOf(plain.events).map(({ data }) => data)).toEqual(DATA.map((text) => JSON.parse(text) as unknown));
  });

  it("[SCH-15] is delivered to in that version: by webhook, in batches and by pull", async () => {
    const subscribe = (name: string, more: object) =>
      hub.json("PUT", `/v1/subscriptions/${name}`, {
        topics: ["orders"],
        startFrom: "earliest",
        schemas: PIN,
        ...more,
      });
    const batch = { maxEvents: 4, maxWait: "60s" };
    const made = await subscribe("hooked", { target: { kind: "webhook", url: `${sink.url}/hooked` } });
    expect(made.body).toMatchObject({ schemas: PIN });
    await subscribe("batched", { target: { kind: "webhook", url: `${sink.url}/batched` }, mode: "batch", batch });
    await subscribe("pulled", { target: { kind: "pull" } });

    const bodies = (path: string): unknown[] =>
      sink.deliveries.filter((delivery) => delivery.path === path).map(({ body }) => JSON.parse(body) as unknown);
    await eventually(
      () => bodies("/hooked").length,
      (count) => count === 4,
      "every event has come alone",
    );
    const alone = bodies("/hooked") as WireEvent[];
    expectLifted(alone.toSorted((left, right) => left.offset - right.offset));
    await eventually(
      () => bodies("/batched").length,
      (count) => count === 1,
      "the batch has come",
    );
    expectLifted(bodies("/batched")[0] as WireEvent[]);
    const pulled: WireEvent[] = [];
    while (pulled.length < 4) {
      const ask = { wait: "5s", lease: "60s" };
      const { body } = await hub.json<Pulled>("POST", "/v1/subscriptions/pulled/pull", ask);
      pulled.push(...body.deliveries.map(({ event }) => event));
    }
    expectLifted(pulled);
  });

  it("[SCH-15] keeps dead letters as they stand in the log", async () => {
    const target = { kind: "webhook", url: `${sink.url}/refusing` };
    sink.respond(({ path }) => (path === "/refusing" ? 400 : 200));
    await hub.json("PUT", "/v1/subscriptions/refused", {
      topics: ["orders"],
      filter: { data: { id: ["a"] } },
      startFrom: "earliest",
      schemas: PIN,
      target,
    });
    const dead = await eventually(
      () => hub.json<{ items: { event: WireEvent }[] }>("GET", "/v1/subscriptions/refused/dead-letters"),
      ({ body }) => body.items.length === 1,
      "the delivery is dead",
    );
    expect(dead.body.items[0]!.event).toMatchObject({ schemaversion: 1, data: JSON.parse(DATA[0]!) as unknown });
  });
});

describe("what cannot be lifted", () => {
  it("[SCH-16] is refused when it is asked for, and leaves no topic", async () => {
    await put("gap", VERSIONS[0]!);
    await put("gap", { schema: VERSIONS[1]!.schema });
    const read = (topic: string, schemas: unknown) =>
      hub.json<{ code: string; errors?: { pointer: string }[] }>(
        "GET",
        `/v1/topics/${topic}/events?wait=1s&schemas=${encodeURIComponent(JSON.stringify(schemas))}`,
      );
    for (const [pins, pointer] of [
      [{ gap: 2 }, "/gap"],
      [{ gap: 3 }, "/gap"],
      [{ "not.there": 1 }, "/not.there"],
    ] as const) {
      const { status, body } = await read("never-made", pins);
      expect([status, body.code, body.errors![0]!.pointer]).toEqual([422, "lift_unavailable", pointer]);
    }
    expect((await read("orders", { gap: 1 })).status).toBe(200);
    for (const pins of [
      [],
      7,
      { gap: 0 },
      { gap: "1" },
      { gap: 1.5 },
      Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`t${at}`, 1])),
    ])
      expect([pins, (await read("orders", pins)).body.code]).toEqual([pins, "parameter_invalid"]);
    expect((await hub.json("GET", "/v1/topics/never-made")).status).toBe(404);
    const definition = { topics: ["orders"], target: { kind: "pull" }, schemas: { gap: 2 } };
    const subscription = await hub.json("PUT", "/v1/subscriptions/unliftable", definition);
    expect([subscription.status, subscription.body["code"]]).toEqual([422, "lift_unavailable"]);
    expect((await hub.json("GET", "/v1/subscriptions/unliftable")).status).toBe(404);
  });

  it("[SCH-16] a version that allows what the one before allowed lifts it as it is", async () => {
    const [first] = VERSIONS;
    await put("wider", first!);
    await put("wider", { schema: { ...first!.schema, required: ["id"] }, compatibility: "backward" });
    const answer = await hub.json<{ events: unknown[] }>(
      "GET",
      `/v1/topics/orders/events?schemas=${encodeURIComponent('{"wider":2}')}`,
    );
    expect(answer.status).toBe(200);
  });

  it("[SCH-16] is for who may read the type's contract", async () => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes: ["history:orders"] });
    const answer = await hub.json("GET", `/v1/topics/orders/events?schemas=${pinned}`, undefined, bearer(body.key));
    expect([answer.status, answer.body["code"]]).toEqual([403, "scope_missing"]);
  });

  it.each([
    ["no list", {}, ""],
    ["no step", [7], "/0"],
    ["no such step", [{ op: "code", path: "/a" }], "/0/op"],
    ["a path that is none", [{ op: "drop", path: "a" }], "/0/path"],
    ["the whole", [{ op: "drop", path: "" }], "/0/path"],
    ["each item itself", [{ op: "drop", path: "/a/*" }], "/0/path"],
    ["a move of each", [{ op: "move", from: "/a/*/b", path: "/c" }], "/0/from"],
    ["a rename to nothing said", [{ op: "rename", path: "/a" }], "/0/to"],
    ["a default without value", [{ op: "default", path: "/a" }], "/0/value"],
    ["a member that is not known", [{ op: "drop", path: "/a", when: 1 }], "/0/when"],
    ["too many steps", Array.from({ length: 51 }, () => ({ op: "drop", path: "/a" })), ""],
    ["too large a step", [{ op: "default", path: "/a", value: "x".repeat(5_000) }], ""],
  ])("[SCH-17] an upcast with %s is refused", async (_name, upcast, pointer) => {
    await put("stepped", VERSIONS[0]!);
    const { status, body } = await put("stepped", { schema: {}, upcast });
    expect([status, body.code, body.errors![0]!.pointer]).toEqual([422, "schema_invalid", `/upcast${pointer}`]);
  });

  it("[SCH-17] an upcast belongs to its version for good, and the first has none", async () => {
    const [first, second] = VERSIONS;
    expect((await put("fixed", { ...first!, upcast: [] })).body.errors![0]!.pointer).toBe("/upcast");
    await put("fixed", first!);
    await put("fixed", { ...second!, compatibility: "none" });
    expect((await put("fixed", second!)).status).toBe(200);
    const other = await put("fixed", { ...second!, upcast: [] });
    expect([other.status, other.body.errors![0]!.pointer]).toEqual([422, "/upcast"]);
    expect((await hub.json("GET", "/v1/schemas/fixed")).body).toMatchObject({ version: 2, upcast: second!.upcast });
  });
});
