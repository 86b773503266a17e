import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCloudEvent } from "../builders/cloudevents.ts";
import { startHub, type Hub, type Receipt } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Form {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** What each event read back must hold. */
  readonly events: readonly Record<string, unknown>[];
}

const json = { "content-type": "application/json" };
const binary = { "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "t" };
const cloudEvent = { specversion: "1.0", id: "ce-1", source: "https://shop.example/orders", type: "order.created" };

const FORMS: readonly Form[] = [
  {
    name: "one draft",
    headers: json,
    body: JSON.stringify({ type: "order.created", data: { total: 12 }, key: "o-1" }),
    events: [{ type: "order.created", source: "/apps/default", partitionkey: "o-1", data: { total: 12 } }],
  },
  {
    name: "a draft with every member",
    headers: json,
    body: JSON.stringify({
      id: "a-1",
      source: "/billing",
      type: "t",
      key: "k",
      subject: "s",
      time: "2026-01-02T03:04:05.678+02:00",
      dataschema: "https://example.com/s.json",
      data: [1, null, "x"],
    }),
    events: [
      {
        id: "a-1",
        source: "/billing",
        subject: "s",
        time: "2026-01-02T03:04:05.678+02:00",
        dataschema: "https://example.com/s.json",
        data: [1, null, "x"],
      },
    ],
  },
  { name: "a draft without data", headers: json, body: '{"type":"tick"}', events: [{ type: "tick" }] },
  {
    name: "a list of drafts",
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify([
      { type: "a", data: 1 },
      { type: "b", data: 2 },
    ]),
    events: [
      { type: "a", data: 1 },
      { type: "b", data: 2 },
    ],
  },
  {
    name: "drafts under events",
    headers: json,
    body: JSON.stringify({ events: [{ type: "a", data: 1 }, { type: "b" }] }),
    events: [{ type: "a", data: 1 }, { type: "b" }],
  },
  {
    name: "the portable envelope",
    headers: json,
    body: JSON.stringify({
      event: "payment.confirmed",
      payload: { amount: 3 },
      meta: { event_id: "p-1", timestamp: "2026-11-20T08:00:00Z", source: "/payments" },
    }),
    events: [
      {
        id: "p-1",
        type: "payment.confirmed",
        source: "/payments",
        time: "2026-11-20T08:00:00Z",
        data: { amount: 3 },
      },
    ],
  },
  {
    name: "a structured CloudEvent",
    headers: { "content-type": "application/cloudevents+json; charset=UTF-8" },
    body: JSON.stringify({ ...cloudEvent, partitionkey: "k", myextension: 7, data: { a: 1 } }),
    events: [{ ...cloudEvent, partitionkey: "k", myextension: 7, data: { a: 1 } }],
  },
  {
    name: "a structured CloudEvent with binary data",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({ ...cloudEvent, datacontenttype: "image/png", data_base64: "iVBORw==" }),
    events: [{ ...cloudEvent, datacontenttype: "image/png", data_base64: "iVBORw==" }],
  },
  {
    name: "batched CloudEvents",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify([
      { ...cloudEvent, data: 1 },
      { ...cloudEvent, id: "ce-2", data: 2 },
    ]),
    events: [
      { ...cloudEvent, data: 1 },
      { ...cloudEvent, id: "ce-2", data: 2 },
    ],
  },
  {
    name: "a binary CloudEvent of JSON",
    headers: {
      ...json,
      "ce-specversion": "1.0",
      "ce-id": "b-1",
      "ce-source": "/s",
      "ce-type": "t",
      "ce-partitionkey": "k",
      "ce-subject": "caf%C3%A9",
    },
    body: '{"a":1}',
    events: [{ id: "b-1", source: "/s", type: "t", partitionkey: "k", subject: "café", data: { a: 1 } }],
  },
  {
    name: "a binary CloudEvent of bytes",
    headers: { ...binary, "content-type": "application/octet-stream", "ce-id": "b-2" },
    body: new Uint8Array([0, 255, 128, 10, 13]),
    events: [{ id: "b-2", datacontenttype: "application/octet-stream", data_base64: "AP+ACg0=" }],
  },
  {
    name: "a binary CloudEvent of text",
    headers: { ...binary, "content-type": "text/plain", "ce-id": "b-3" },
    body: "naïve 😀",
    events: [{ id: "b-3", datacontenttype: "text/plain", data: "naïve 😀" }],
  },
];

async function post(topic: string, headers: Record<string, string>, body: BodyInit) {
  const response = await hub.request(`/v1/topics/${topic}/events`, { method: "POST", headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("POST events", () => {
  it.each(FORMS.map((form, index) => ({ ...form, topic: `form-${index}` })))(
    "[PUB-1] takes $name, and gives it back as a valid CloudEvent",
    async ({ topic, headers, body, events }) => {
      const answer = await post(topic, headers, body);
      expect(answer.status, answer.text).toBe(201);
      const receipts = (JSON.parse(answer.text) as { events: Receipt[] }).events;
      expect(receipts.map(({ offset }) => offset)).toEqual(events.map((_, index) => index + 1));
      const page = await hub.read(topic);
      expect(page.events).toHaveLength(events.length);
      for (const [index, event] of page.events.entries()) {
        expectCloudEvent(event);
        expect(event).toMatchObject({
          ...events[index],
          topic,
          partition: 0,
          offset: index + 1,
          id: receipts[index]!.id,
        });
      }
    },
  );

  it("[PUB-2] answers where each event stands, with a cursor behind which a reader sees what came later", async () => {
    const before = Date.now();
    const { status, headers, body } = await hub.publish("receipts", [{ type: "a" }, { type: "b" }, { type: "c" }]);
    expect(status).toBe(201);
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.events).toMatchObject(
      [1, 2, 3].map((offset) => ({ topic: "receipts", partition: 0, offset, duplicate: false })),
    );
    expect(body.events.every(({ id }) => UUID_V7.test(id))).toBe(true);
    expect(new Set(body.events.map(({ id }) => id)).size).toBe(3);
    const page = await hub.read("receipts", { from: `cursor:${body.events[0]!.cursor}` });
    expect(page.events.map(({ type }) => type)).toEqual(["b", "c"]);
    const appendedAt = Date.parse(page.events[0]!["appendedat"] as string);
    expect(appendedAt).toBeGreaterThanOrEqual(before);
    expect(page.events[0]!.time).toBe(page.events[0]!["appendedat"]);
  });

  it("[PUB-3] changes no number and no character of a payload", async () => {
    const data =
      String.raw`{"big":12345678901234567890,"one":1.0,"huge":1e400,"tiny":-0.0,"sep":"\u2028","raw":"` +
      `\u2028\u2029 😀 é \u007f","esc":"\\u0041\\/","dup":1,"dup":2}`;
    const answer = await post("exact", json, `{ "type": "t" , "data": ${data} }`);
    expect(answer.status, answer.text).toBe(201);
    for (const path of ["/v1/topics/exact/events", `/v1/events/${JSON.parse(answer.text).events[0].id}?topic=exact`]) {
      expect(await (await hub.request(path)).text()).toContain(`"data":${data}`);
    }
  });

  it("[PUB-3] keeps a payload's lines and spaces out of the log without touching its strings", async () => {
    const answer = await post(
      "spaced",
      json,
      '{"type":"t","data":{\n  "a" : [ 1 , 2 ],\r\n\t"b": " two  spaces \\n "\n}}',
    );
    expect(answer.status).toBe(201);
    expect(await (await hub.request("/v1/topics/spaced/events")).text()).toContain(
      '"data":{"a":[1,2],"b":" two  spaces \\n "}',
    );
  });

  it("[PUB-4] keeps a request's traceparent with its events, and begins a trace where it is not valid", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await hub.publish("traced", { type: "a" }, { traceparent });
    await hub.publish("traced", { type: "b" }, { traceparent: "00-nonsense" });
    const { events } = await hub.read("traced");
    expect(events.map((event) => event["traceparent"])).toEqual([
      traceparent,
      expect.stringMatching(/^00-[0-9a-f]{32}-/),
    ]);
  });

  it("[PUB-5] answers an event that comes again with its first place: 200 when nothing was new", async () => {
    const draft = { id: "order-7", type: "order.created", data: { total: 1 } };
    const first = await hub.publish("again", draft);
    expect(first.status).toBe(201);
    const again = await hub.publish("again", draft);
    expect(again.status).toBe(200);
    expect(again.body.events).toEqual([{ ...first.body.events[0], duplicate: true }]);
    const mixed = await hub.publish("again", [draft, { type: "new" }]);
    expect(mixed.status).toBe(201);
    expect(mixed.body.events.map(({ offset, duplicate }) => [offset, duplicate])).toEqual([
      [1, true],
      [2, false],
    ]);
    const other = await hub.publish("again", { ...draft, data: { total: 2 } });
    expect(other.status).toBe(409);
    expect(other.body).toMatchObject({ code: "event_id_conflict", actual: 1 });
  });

  it("[PUB-6] appends under If-Match only at the offset named", async () => {
    expect((await hub.publish("matched", { type: "a" }, { "if-match": '"0"' })).status).toBe(201);
    const stale = await hub.publish("matched", { type: "b" }, { "if-match": '"0"' });
    expect(stale.status).toBe(412);
    expect(stale.body).toMatchObject({ code: "version_conflict", actual: 1, retryable: false, effect: "none" });
    expect((await hub.publish("matched", { type: "b" }, { "if-match": '"1"' })).status).toBe(201);
    expect((await hub.read("matched")).events.map(({ type }) => type)).toEqual(["a", "b"]);
  });

  it("[PUB-7] makes a topic with versions for a first publish that expects one", async () => {
    const draft = (expectedKeyVersion: number) => ({ type: "t", key: "cart", expectedKeyVersion });
    const first = await hub.publish("versioned", draft(0));
    expect(first.body.events[0]).toMatchObject({ keyVersion: 1 });
    const race = await Promise.all(Array.from({ length: 30 }, () => hub.publish("versioned", draft(1))));
    expect(race.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 29 }, () => 412)]);
    expect(race.find(({ status }) => status === 412)!.body).toMatchObject({ code: "version_conflict", actual: 2 });
    expect((await hub.read("versioned")).events.map((event) => event["keyversion"])).toEqual([1, 2]);
  });

  it("[PUB-8] keeps a key in one partition, and answers receipts in the order of the drafts", async () => {
    await hub.json("PUT", "/v1/topics/spread", { partitions: 8 });
    const drafts = Array.from({ length: 100 }, (_, index) => ({ type: "t", key: `k${index % 10}`, data: index }));
    const { status, body } = await hub.publish("spread", drafts);
    expect(status).toBe(201);
    const partitionsByKey = Map.groupBy(body.events.entries(), ([index]) => index % 10);
    for (const receipts of partitionsByKey.values()) {
      expect(new Set(receipts.map(([, { partition }]) => partition)).size).toBe(1);
    }
    expect(new Set(body.events.map(({ partition }) => partition)).size).toBeGreaterThan(3);
    for (const [index, receipt] of body.events.entries()) {
      const page = await hub.read("spread", {
        partition: receipt.partition,
        from: `offset:${receipt.offset}`,
        limit: 1,
      });
      expect(page.events[0]).toMatchObject({ data: index, id: receipt.id });
      if (index >= 10) break;
    }
  });

  it("[PUB-9] over several partitions says of each event what became of it when one of them refuses", async () => {
    await hub.json("PUT", "/v1/topics/partly", { partitions: 4, index: "version" });
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const drafts = keys.map((key, index) => ({ type: "t", key, ...(index === 5 && { expectedKeyVersion: 9 }) }));
    const { status, body } = await hub.publish("partly", drafts);
    expect(status).toBe(201);
    const refused = body.events.filter((event) => "problem" in event);
    const appended = body.events.filter((event) => "offset" in event);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length + appended.length).toBe(12);
    expect(body.events[5]).toMatchObject({ problem: { code: "version_conflict", actual: 0 } });
    const partition = (body.events[5] as unknown as { partition: number }).partition;
    expect((await hub.read("partly", { partition })).events).toEqual([]);
    expect((await hub.readAll("partly")).map(({ id }) => id).toSorted()).toEqual(
      appended.map(({ id }) => id).toSorted(),
    );
  });

  it("[PUB-10] publishes over a socket, with a receipt under the message's own ref", async () => {
    const socket = await hub.connect();
    const answer = await socket.ask({ op: "publish", topic: "by-socket", event: { type: "t", data: { a: 1 } } });
    expect(answer).toMatchObject({ op: "published", receipt: { topic: "by-socket", offset: 1, duplicate: false } });
    const refused = await socket.ask({ op: "publish", topic: "by-socket", event: { data: 1 } });
    expect(refused).toMatchObject({ op: "error", problem: { code: "event_invalid", errors: [{ pointer: "/type" }] } });
    expect((await hub.read("by-socket")).events).toHaveLength(1);
    await socket.close();
  });

  it("[PUB-11] serves one event by its id, minted or chosen, from whichever partition holds it", async () => {
    await hub.json("PUT", "/v1/topics/found", { partitions: 3 });
    const { body } = await hub.publish("found", [
      { type: "a", id: "chosen/1?" },
      { type: "b" },
      { type: "c", key: "z" },
    ]);
    for (const { id, partition, offset } of body.events) {
      const answer = await hub.json("GET", `/v1/events/${encodeURIComponent(id)}?topic=found`);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id, partition, offset });
      expectCloudEvent(answer.body);
    }
    const missing = await hub.json("GET", "/v1/events/nobody?topic=found");
    expect([missing.status, missing.body["code"]]).toEqual([404, "event_not_found"]);
  });
});

describe("NDJSON", () => {
  const ndjson = { "content-type": "application/x-ndjson" };
  const linesOf = (text: string): Record<string, unknown>[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("[PUB-12] answers each line with a receipt or a problem, in order, and one bad line costs no other", async () => {
    const lines = [
      '{"type":"a"}',
      "not json",
      "",
      '{"type":"b","id":"x"}',
      '{"data":1}',
      '{"type":"c","id":"x"}',
      `{"type":"d","data":"${"x".repeat(300_000)}"}`,
      '{"type":"e"}\r',
      '"\\ud800"',
      '{"type":"f"}',
    ];
    const answer = await post("lines", ndjson, lines.join("\n"));
    expect(answer.status).toBe(200);
    const answers = linesOf(answer.text);
    const codes = answers.map((line) => (line["problem"] as { code: string } | undefined)?.code ?? line["offset"]);
    expect(codes).toEqual([
      1,
      "json_invalid",
      2,
      "event_invalid",
      "event_id_conflict",
      "event_too_large",
      3,
      "encoding_invalid",
      4,
    ]);
    expect((await hub.read("lines")).events.map(({ type }) => type)).toEqual(["a", "b", "e", "f"]);
  });

  it("[PUB-12] takes far more lines than a request takes drafts, and keeps their order", async () => {
    const count = 2_300;
    const lines = Array.from({ length: count }, (_, index) => `{"type":"t","data":${index}}\n`);
    const answer = await post("many-lines", ndjson, lines.join(""));
    expect(linesOf(answer.text).map((line) => line["offset"])).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
    const events = await hub.readAll("many-lines");
    expect(events.map(({ data }) => data)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it("[PUB-13] answers while the request still streams", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const init: RequestInit & { duplex: "half" } = { method: "POST", headers: ndjson, body: readable, duplex: "half" };
    const asked = hub.request("/v1/topics/streamed/events", init);
    await writer.write(encoder.encode('{"type":"first"}\n{"type":"sec'));
    const reader = (await asked).body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    expect(linesOf(first)).toMatchObject([{ offset: 1 }]);
    expect((await hub.read("streamed")).events).toHaveLength(1);
    await writer.write(encoder.encode('ond"}'));
    await writer.close();
    expect(linesOf(new TextDecoder().decode((await reader.read()).value))).toMatchObject([{ offset: 2 }]);
    expect((await reader.read()).done).toBe(true);
  });
});
