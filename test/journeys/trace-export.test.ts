/** Spans to a collector of the owner's, which holds them against OTLP's JSON encoding. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
