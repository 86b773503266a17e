import { CloudEvent, HTTP } from "cloudevents";
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let hub: Hub;
let server: Server;
let url: string;
const received: Received[] = [];

beforeAll(async () => {
  hub = await startHub();
  server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    received.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks as Buffer[]) });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await hub.close();
  server.close();
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("a webhook in binary form", () => {
  it("[WHK-14] is what the official SDK reads and the official verifier accepts, bytes as well", async () => {
    const target = { kind: "webhook", url, secret: SECRET, contentMode: "binary" };
    const made = await hub.json<{ target: object }>("PUT", "/v1/subscriptions/binary", { topics: ["b"], target });
    expect(made.body.target).toMatchObject({ contentMode: "binary" });
    await hub.publish("b", '{"type":"t","id":"1","subject":"é 100%","data":{"n":1.0,"text":"ü"}}');
    await hub.publish("b", { type: "t", id: "2", datacontenttype: "image/png", data_base64: "AP/+iQ==" });
    await hub.publish("b", { type: "t", id: "3" });
    await eventually(
      () => received.length,
      (count) => count === 3,
      "all three have come",
    );
    const byId = new Map(received.map((each) => [each.headers["ce-id"], each]));
    const verify = ({ headers, body }: Received): void => {
      const signed = Object.fromEntries(
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [name, headers[name] as string]),
      );
      expect(() => new Webhook(SECRET).verify(body, signed, { jsonParse: false } as never)).not.toThrow();
    };
    const [json, image, empty] = ["1", "2", "3"].map((id) => byId.get(id)!);
    expect(json!.body.toString()).toBe('{"n":1.0,"text":"ü"}');
    expect(json!.headers).toMatchObject({ "content-type": "application/json", "ce-subject": "%C3%A9%20100%25" });
    expect(HTTP.toEvent({ headers: json!.headers, body: json!.body.toString() })).toMatchObject({
      type: "t",
      topic: "b",
      data: { n: 1, text: "ü" },
    });
    expect([...image!.body]).toEqual([0, 255, 254, 0x89]);
    expect(image!.headers["content-type"]).toBe("image/png");
    expect(empty!.body).toHaveLength(0);
    verify(json!);
    const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = image!.headers;
    const signed = Buffer.concat([Buffer.from(`${id as string}.${at as string}.`), image!.body]);
    expect(signature).toBe(`v1,${createHmac("sha256", Buffer.alloc(32, 7)).update(signed).digest("base64")}`);
  });

  it("[WHK-15] is, like one in structured form and a batch, read whole by the official SDK", async () => {
    const subscribe = (name: string, more: object, target: object = {}) =>
      hub.json("PUT", `/v1/subscriptions/${name}`, {
        topics: ["read"],
        target: { kind: "webhook", url: `${url}${name}`, ...target },
        ...more,
      });
    await subscribe("structured", {});
    await subscribe("binary-again", {}, { contentMode: "binary" });
    await subscribe("batched", { mode: "batch", batch: { maxEvents: 2, maxWait: "60s" } });
    const event = {
      type: "t",
      source: "/s",
      subject: "é",
      dataschema: "https://example.com/s",
      data: { a: [1, null] },
    };
    await hub.publish("read", [
      { ...event, id: "r-1" },
      { ...event, id: "r-2" },
    ]);
    const arrived = (name: string): Received[] => received.filter(({ path }) => path === `/${name}`);
    const counts = () => ["structured", "binary-again", "batched"].map((name) => arrived(name).length);
    await eventually(counts, (found) => found.join() === "2,2,1", "every delivery has come");
    expect(arrived("binary-again")[0]!.headers["ce-specversion"]).toBe("1.0"); // Left out, the SDK would assume it.
    for (const name of ["structured", "binary-again", "batched"]) {
      const read = arrived(name).flatMap(
        ({ headers, body }) => HTTP.toEvent({ headers, body: body.toString() }) as CloudEvent | CloudEvent[],
      );
      expect(read.map(({ id }) => id).toSorted()).toEqual(["r-1", "r-2"]);
      for (const each of read) {
        expect(each.validate()).toBe(true);
        expect(each).toMatchObject({ ...event, subject: name === "binary-again" ? "%C3%A9" : "é", topic: "read" });
      }
    }
  });

  it("[WHK-14] takes no batches, and no header of the owner's speaks for the event", async () => {
    const put = (more: object, target: object) =>
      hub.json<{ errors: { pointer: string }[] }>("PUT", "/v1/subscriptions/refused", {
        topics: ["b"],
        target: { kind: "webhook", url, ...target },
        ...more,
      });
    const pointers = async (answer: ReturnType<typeof put>) => (await answer).body.errors.map(({ pointer }) => pointer);
    expect(await pointers(put({ mode: "batch" }, { contentMode: "binary" }))).toEqual(["/target/contentMode"]);
    expect(await pointers(put({}, { contentMode: "avro" }))).toEqual(["/target/contentMode"]);
    expect(await pointers(put({}, { headers: { "CE-Type": "x" } }))).toEqual(["/target/headers/CE-Type"]);
  });
});

describe("a batch of CloudEvents", () => {
  it("[WIRE-16] may be empty: nothing is appended, and no topic is made", async () => {
    const headers = { "content-type": "application/cloudevents-batch+json" };
    const answer = await hub.request("/v1/topics/never-made/events", { method: "POST", headers, body: "[]" });
    expect([answer.status, await answer.json()]).toEqual([200, { events: [] }]);
    expect((await hub.json("GET", "/v1/topics/never-made")).status).toBe(404);
  });
});

describe("the portable envelope", () => {
  const envelope =
    '{"event":"order_created","payload":{"total":1.0,"text":"ü"},' +
    '"meta":{"event_id":"env-1","timestamp":"2026-01-01T00:00:00Z","source":"php"}}';
  const bytes =
    '{"event":"seen","payload_base64":"AP8=",' +
    '"meta":{"event_id":"env-2","timestamp":"2026-01-01T00:00:00Z","source":"go"}}';

  it("[WIRE-17] reaches a webhook as it came, signed", async () => {
    received.length = 0;
    const target = { kind: "webhook", url, secret: SECRET, contentMode: "envelope" };
    const made = await hub.json<{ target: object }>("PUT", "/v1/subscriptions/enveloped", { topics: ["e"], target });
    expect(made.body.target).toMatchObject({ contentMode: "envelope" });
    await hub.publish("e", envelope);
    await hub.publish("e", bytes);
    await eventually(
      () => received.length,
      (count) => count === 2,
      "both have come",
    );
    expect(received.map(({ body }) => body.toString()).toSorted()).toEqual([envelope, bytes].toSorted());
    const { headers, body } = received[0]!;
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    const signed = Object.fromEntries(
      ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [name, headers[name] as string]),
    );
    expect(() => new Webhook(SECRET).verify(body, signed, { jsonParse: false } as never)).not.toThrow();
    const batched = { topics: ["e"], mode: "batch", target };
    expect((await hub.json("PUT", "/v1/subscriptions/both", batched)).status).toBe(422);
  });

  it("[WIRE-17] is what a reader gets who accepts it, and is published again as the same event", async () => {
    const accept = { accept: "application/vnd.tidings.envelope+json" };
    const page = await hub.request("/v1/topics/e/events", { headers: accept });
    expect(page.headers.get("content-type")).toBe("application/vnd.tidings.envelope+json");
    const text = await page.text();
    expect(text).toContain(`{"events":[${envelope},\n${bytes}],"cursor":`);
    const one = await hub.request("/v1/events/env-1?topic=e", { headers: accept });
    expect(await one.text()).toBe(envelope);
    const again = await hub.publish("e", envelope);
    expect([again.status, again.body.events[0]!.duplicate]).toEqual([200, true]);
  });
});

describe("an event with extensions of each type", () => {
  const event = { type: "t", source: "/s", id: "x-1", flag: true, count: -7, word: "ü", when: "2026-01-01T00:00:00Z" };
  const STRUCTURED = { "content-type": "application/cloudevents+json" };

  it("[WIRE-18] is valid to the official SDK in a page, a stream, on a socket and in a pull", async () => {
    const topic = "typed";
    const pulled = { topics: [topic], target: { kind: "pull" }, startFrom: "earliest" };
    await hub.json("PUT", "/v1/subscriptions/typed", pulled);
    const sent = { ...event, specversion: "1.0", subject: null, data: null };
    expect((await hub.publish(topic, sent, STRUCTURED)).status).toBe(201);

    const [paged] = (await hub.read(topic)).events;
    const stream = await hub.request(`/v1/topics/${topic}/events?from=earliest`, {
      headers: { accept: "text/event-stream" },
    });
    const streamed = await firstEventOf(stream);
    const socket = await hub.connect();
    socket.send({ op: "subscribe", ref: "s", topic, from: "earliest" });
    await socket.until(() => socket.events(topic).length > 0, "the event");
    const taken = await hub.json<{ deliveries: { event: object }[] }>("POST", "/v1/subscriptions/typed/pull", {
      wait: "20s",
    });
    for (const found of [paged, streamed, socket.events(topic)[0], taken.body.deliveries[0]!.event]) {
      expect(found).toMatchObject({ ...event, data: null });
      expect(found).not.toHaveProperty("subject");
      expect(new CloudEvent(found as object).validate()).toBe(true);
    }
  });

  it.each([2_147_483_648, -2_147_483_649, 1.5])("[WIRE-18] of the number %d is refused", async (count) => {
    const answer = await hub.publish("typed", { ...event, specversion: "1.0", count }, STRUCTURED);
    expect([answer.status, answer.body]).toMatchObject([422, { errors: [{ pointer: "/count" }] }]);
  });
});

/** What the stream's first message of the kind `event` holds. */
async function firstEventOf(stream: Response): Promise<unknown> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const data = /^event: event\ndata: (.*)\n\n/m.exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data) as unknown;
  }
  throw new Error(`no event in ${text}`);
}
