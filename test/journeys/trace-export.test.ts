/** Spans to a collector of the owner's, which holds them against OTLP's JSON encoding. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EventStory } from "../../src/core/event-story.ts";
import { makePusherKey } from "../builders/pusher.ts";
import { signedPath } from "../builders/pusher-signed.ts";
import { Collector, type CollectedSpan } from "../harness/collector.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

let collector: Collector;
let sink: Sink;
let hub: Hub;

beforeAll(async () => {
  [collector, sink] = await Promise.all([Collector.open(), Sink.open()]);
  const settings = { OTLP_ENDPOINT: `${collector.url}/`, OTLP_HEADERS: "x-key=secret", OTLP_SAMPLE_RATIO: "1" };
  hub = await startHub({ vars: settings });
});
afterAll(async () => {
  await hub.close();
  await Promise.all([collector.close(), sink.close()]);
});
beforeEach(() => {
  collector.spans.length = 0;
});

const subscribe = (name: string, more: object = {}) =>
  hub.json("PUT", `/v1/subscriptions/${name}`, {
    topics: [name],
    target: { kind: "webhook", url: `${sink.url}/${name}` },
    ...more,
  });
const collected = (name: string, count = 1): Promise<readonly CollectedSpan[]> =>
  eventually(
    () => collector.spans.filter((span) => span.name === name),
    (found) => found.length >= count,
    `${count} spans "${name}"`,
  );
async function sendLines(topic: string, headers: object, lines: readonly string[] = [`{"type":"t"}`]): Promise<void> {
  const body = lines.join("\n");
  const all = { "content-type": "application/x-ndjson", ...headers };
  const answer = await hub.request(`/v1/topics/${topic}/events`, { method: "POST", headers: all, body });
  expect((await answer.text()).trim().split("\n").length).toBe(lines.length);
}
async function sendFrame(topic: string, event: object): Promise<void> {
  const socket = await hub.connect();
  socket.send({ op: "publish", ref: "1", topic, event });
  await socket.until(() => socket.messages.some(({ op }) => op === "published"));
  socket.close();
}
async function trigger(channels: readonly string[], headers: Record<string, string> = {}): Promise<void> {
  const key = await makePusherKey(hub);
  const body = JSON.stringify({ name: "t", channels, data: "{}" });
  const path = signedPath(key, { path: "/events", body });
  const all = { "content-type": "application/json", ...headers };
  const answer = await fetch(hub.url + path, { method: "POST", headers: all, body });
  expect(answer.status).toBe(200);
}
const attribute = ({ attributes }: CollectedSpan, key: string) =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

describe("where a collector is named", () => {
  it("[TRC-10] it gets a span of a sampled publish and one of each attempt, in the producer's trace", async () => {
    sink.respond(({ attempt }) => (attempt === 1 ? 500 : 204));
    await subscribe("followed", { retry: { maxAttempts: 2, schedule: ["20ms"] } });
    await hub.publish("followed", { type: "t" }, { traceparent: `00-${TRACE}-${SPAN}-01` });
    const [publish] = await collected("publish followed");
    const attempts = await collected("deliver followed", 2);
    for (const span of [publish!, ...attempts]) expect([span.traceId, span.parentSpanId]).toEqual([TRACE, SPAN]);
    expect(attempts.map((span) => attribute(span, "tidings.attempt"))).toEqual(["1", "2"]);
    expect(attempts.map((span) => attribute(span, "http.response.status_code"))).toEqual(["500", "204"]);
    expect(attempts.map(({ status }) => status.code)).toEqual([2, undefined]);
    expect(new Set([publish!, ...attempts].map(({ spanId }) => spanId)).size).toBe(3);
    expect(collector.headers.every((headers) => headers["x-key"] === "secret")).toBe(true);
    expect(collector.complaints).toEqual([]);
  });

  it("[TRC-11] a publish without a trace begins one by the ratio, of which the hub's span is the first", async () => {
    sink.respond(() => 204);
    await subscribe("begun");
    await hub.publish("begun", { type: "t" });
    const [publish] = await collected("publish begun");
    const [attempt] = await collected("deliver begun");
    expect(publish!.parentSpanId).toBeUndefined();
    expect([attempt!.traceId, attempt!.parentSpanId]).toEqual([publish!.traceId, publish!.spanId]);
    const { events } = await hub.read("begun");
    expect(events[0]).toMatchObject({ traceparent: `00-${publish!.traceId}-${publish!.spanId}-01` });
  });

  it("[TRC-11] what the producer does not sample is not exported, whatever the ratio", async () => {
    await subscribe("unsampled");
    await hub.publish("unsampled", { type: "t" }, { traceparent: `00-${TRACE}-${SPAN}-00` });
    await hub.publish("marker", { type: "t" });
    await eventually(
      () => sink.accepted.filter(({ path }) => path === "/unsampled"),
      ({ length }) => length === 1,
      "it",
    );
    await hub.publish("marker", { type: "t" });
    await collected("publish marker", 2);
    expect(collector.spans.filter(({ name }) => name.endsWith("unsampled"))).toEqual([]);
  });

  const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
  const WAYS: readonly [way: string, send: (topic: string) => Promise<void>][] = [
    ["lines of NDJSON", (topic) => sendLines(topic, { traceparent: TRACEPARENT })],
    ["a frame of a socket", (topic) => sendFrame(topic, { type: "t", traceparent: TRACEPARENT })],
    ["a trigger of Pusher's libraries", (topic) => trigger([topic], { traceparent: TRACEPARENT })],
  ];

  it.each(WAYS)("[TRC-13] the trace of %s reaches the webhook, the story and the collector", async (way, send) => {
    sink.respond(() => 204);
    const name = `by-${WAYS.findIndex(([one]) => one === way)}`;
    await subscribe(name);
    await send(name);
    const [publish] = await collected(`publish ${name}`);
    const [attempt] = await collected(`deliver ${name}`);
    for (const span of [publish!, attempt!]) expect([span.traceId, span.parentSpanId]).toEqual([TRACE, SPAN]);
    expect(publish!.spanId).not.toBe(SPAN);
    const { headers } = sink.accepted.find(({ path }) => path === `/${name}`)!;
    expect(headers["traceparent"]).toBe(TRACEPARENT);
    const [event] = (await hub.read(name)).events;
    const { body: story } = await eventually(
      () => hub.json<EventStory>("GET", `/v1/events/${event!.id}/trace?topic=${name}`),
      ({ body }) => body.subscriptions[0]?.outcome === "delivered",
      "its story ends well",
    );
    expect(story.trace).toMatchObject({ traceId: TRACE, traceparent: TRACEPARENT });
    expect(story.stages[0]).toMatchObject({ stage: "event.appended", offset: 1 });
  });

  it("[TRC-13] a stream of lines is one span, with how many there were and what was refused first", async () => {
    await sendLines("streamed", { traceparent: TRACEPARENT }, [`{"type":"t"}`, `{"type":""}`, `{"type":"t"}`]);
    const [span] = await collected("publish streamed");
    expect([attribute(span!, "messaging.batch.message_count"), span!.status.message]).toEqual(["3", "event_invalid"]);
    await hub.publish("marker", { type: "t" });
    await collected("publish marker");
    expect(collector.spans.filter(({ name }) => name === "publish streamed").length).toBe(1);
  });

  it("[TRC-13] what comes over a socket or to several channels without a trace begins one, which has one beginning", async () => {
    await sendFrame("framed", { type: "t" });
    await trigger(["first", "second"]);
    const [framed] = await collected("publish framed");
    expect(framed!.parentSpanId).toBeUndefined();
    expect((await hub.read("framed")).events[0]).toMatchObject({
      traceparent: `00-${framed!.traceId}-${framed!.spanId}-01`,
    });
    const [[first], [second]] = await Promise.all([collected("publish first"), collected("publish second")]);
    const [root, child] = first!.parentSpanId === undefined ? [first!, second!] : [second!, first!];
    expect(root.parentSpanId).toBeUndefined();
    expect([child.traceId, child.parentSpanId]).toEqual([root.traceId, root.spanId]);
  });

  it("[TRC-12] a collector that never answers holds up no publish and no delivery", async () => {
    sink.respond(() => 204);
    await subscribe("unheld");
    collector.hold();
    const publish = (): Promise<unknown> => hub.publish("unheld", { type: "t" }, { traceparent: TRACEPARENT });
    await publish();
    await eventually(
      () => collector.held.size,
      (held) => held > 0,
      "the collector holds a request",
    );
    await publish();
    const subscribed = () => hub.json<{ stats: { delivered: number } }>("GET", "/v1/subscriptions/unheld");
    await eventually(subscribed, ({ body }) => body.stats.delivered === 2, "both are delivered and settled");
    expect([collector.held.size > 0, collector.abandoned]).toEqual([true, 0]);
    collector.release();
  });

  it("[TRC-12] a collector that refuses, or is gone, delays and fails no publish and no delivery", async () => {
    sink.respond(() => 204);
    collector.status = 500;
    await subscribe("unharmed");
    expect((await hub.publish("unharmed", { type: "t" })).status).toBe(201);
    const failed = () => hub.logs.filter(({ stage }) => stage === "trace.export_failed");
    await eventually(failed, (lines) => lines.some(({ status }) => status === 500), "its refusal is logged");
    await collector.close();
    expect((await hub.publish("unharmed", { type: "t" })).status).toBe(201);
    await eventually(failed, (lines) => lines.some(({ error }) => error !== undefined), "its absence is logged");
    await eventually(
      () => sink.accepted.filter(({ path }) => path === "/unharmed"),
      ({ length }) => length === 2,
      "both are delivered",
    );
  });
});
