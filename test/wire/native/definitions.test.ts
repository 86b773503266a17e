import { describe, expect, it } from "vitest";
import { BREAKER_DEFAULT } from "../../../src/core/breaker.ts";
import { HIDDEN_VALUE } from "../../../src/core/custom-headers.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import { DEFAULT_DELAYS_MS } from "../../../src/core/retry-schedule.ts";
import type { SubscriptionDefinition } from "../../../src/core/subscription.ts";
import { formatSubscription, parseSubscriptionDefinition } from "../../../src/wire/native/subscription-definition.ts";
import { formatTopic, parseTopicDefinition } from "../../../src/wire/native/topic-definition.ts";
import { refusalOf, valueOf } from "../schema.ts";

const topic = (body: unknown) => parseTopicDefinition(typeof body === "string" ? body : JSON.stringify(body));
const TARGET = { kind: "webhook", url: "https://example.com/hook" };
const SUBSCRIPTION = { topics: ["order.*"], target: TARGET };
const subscription = (body: unknown) =>
  parseSubscriptionDefinition(typeof body === "string" ? body : JSON.stringify(body));
const withTarget = (more: object) => ({ ...SUBSCRIPTION, target: { ...TARGET, ...more } });
const MANY_HEADERS = Object.fromEntries(
  Array.from({ length: LIMITS.TARGET_HEADERS_MAX + 1 }, (_, index) => [`X-${index}`, "a"]),
);
const secretOf = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;

describe("a topic's definition", () => {
  it("has a default for everything", () => {
    expect(valueOf(topic({}))).toEqual({
      partitions: null,
      index: null,
      retention: { maxAgeMs: 2_592_000_000 },
      schemaPolicy: null,
      description: null,
    });
  });

  it("is read whole, and what GET answers can be PUT again", () => {
    const body = {
      partitions: 4,
      index: "key",
      retention: { maxAge: "7d", maxEvents: 10, maxBytes: 1_000 },
      schemaPolicy: "enforce" as const,
      description: "Orders",
    };
    const request = valueOf(topic(body));
    expect(request).toEqual({
      partitions: 4,
      index: "key",
      retention: { maxAgeMs: 604_800_000, maxEvents: 10, maxBytes: 1_000 },
      schemaPolicy: "enforce",
      description: "Orders",
    });
    const { name, ...view } = formatTopic({
      ...request,
      name: "order",
      partitions: 4,
      index: "key",
      schemaPolicy: "enforce",
    });
    expect([name, view]).toEqual(["order", body]);
    expect(valueOf(topic(view))).toEqual(request);
  });

  it("binds by nothing but what its retention names", () => {
    expect(valueOf(topic({ retention: { maxEvents: 5 } })).retention).toEqual({ maxEvents: 5 });
    expect(valueOf(topic({ retention: {} })).retention).toEqual({});
  });

  it.each<[unknown, string]>([
    [{ partitions: 0 }, "/partitions"],
    [{ partitions: 65 }, "/partitions"],
    [{ partitions: 1.5 }, "/partitions"],
    [{ partitions: "4" }, "/partitions"],
    [{ index: "all" }, "/index"],
    [{ index: 5 }, "/index"],
    [{ retention: "7d" }, "/retention"],
    [{ retention: { maxAge: 5 } }, "/retention/maxAge"],
    [{ retention: { maxAge: "999ms" } }, "/retention/maxAge"],
    [{ retention: { clientEvents: "told" } }, "/retention/clientEvents"],
    [{ retention: { maxEvents: 0 } }, "/retention/maxEvents"],
    [{ retention: { maxBytes: -1 } }, "/retention/maxBytes"],
    [{ retention: { maxage: "7d" } }, "/retention/maxage"],
    [{ schemaPolicy: "sometimes" }, "/schemaPolicy"],
    [{ description: 5 }, "/description"],
    [{ description: "a".repeat(1_001) }, "/description"],
    [{ replicas: 3 }, "/replicas"],
    [[], ""],
    ["5", ""],
    ['{"index":"key","index":"none"}', "/index"],
    ['{"__proto__":{}}', "/__proto__"],
  ])("[WIRE-7] %j is refused at %s", (body, pointer) => {
    expect(refusalOf(topic(body))).toEqual({ code: "topic_invalid", pointers: [pointer] });
  });

  it("[WIRE-4] is JSON", () => {
    expect(refusalOf(topic("{")).code).toBe("json_invalid");
    expect(refusalOf(topic('{"description":"\\ud800"}')).code).toBe("encoding_invalid");
  });
});

describe("a subscription's definition", () => {
  it("has a default for everything but its topics and its target", () => {
    expect(valueOf(subscription(SUBSCRIPTION))).toEqual({
      topics: ["order.*"],
      filter: null,
      startFrom: { kind: "latest" },
      target: { ...TARGET, headers: {}, secret: null },
      retry: { maxAttempts: 8, delaysMs: DEFAULT_DELAYS_MS, retryOn4xx: false },
      flow: { maxInFlight: 200 },
      timeoutMs: 15_000,
      breaker: BREAKER_DEFAULT,
      attempts: "failures",
      schemas: new Map(),
    });
  });

  it("is read whole", () => {
    const secret = secretOf(32);
    expect(
      valueOf(
        subscription({
          topics: ["order.*", "$audit", "**"],
          filter: { type: ["order.created"], data: { total: [5] } },
          mode: "async",
          ordering: "none",
          startFrom: "time:1970-01-01T00:00:01Z",
          maxInFlight: 5,
          ratePerSecond: null,
          timeout: "2s",
          target: { ...TARGET, headers: { "X-Team": "orders" }, secret },
          retry: { maxAttempts: 3, schedule: ["200ms", "0s"], retryOn4xx: true },
        }),
      ),
    ).toEqual({
      topics: ["order.*", "$audit", "**"],
      filter: { type: ["order.created"], data: { total: [5] } },
      startFrom: { kind: "time", at: 1_000 },
      flow: { maxInFlight: 5 },
      timeoutMs: 2_000,
      breaker: BREAKER_DEFAULT,
      attempts: "failures",
      schemas: new Map(),
      target: { ...TARGET, headers: { "X-Team": "orders" }, secret },
      retry: { maxAttempts: 3, delaysMs: [200, 0], retryOn4xx: true },
    });
    expect(valueOf(subscription({ ...SUBSCRIPTION, target: { kind: "listener", name: "analytics" } })).target).toEqual({
      kind: "listener",
      name: "analytics",
    });
  });

  it("[SEC-8] is answered without its secret and its headers' values, and what is answered can be PUT again", () => {
    const definition: SubscriptionDefinition = {
      id: "sub_1",
      app: "default",
      name: "fulfilment",
      revision: 2,
      topics: ["a.*"],
      filter: { type: ["a"] },
      start: { kind: "time", at: 1_000 },
      maxInFlight: 5,
      timeoutMs: 2_000,
      target: { kind: "webhook", url: TARGET.url, headers: { "X-A": "b" }, secret: secretOf(32) },
      retry: { maxAttempts: 3, delaysMs: [200, 60_000], retryOn4xx: false },
    };
    const { name, ...view } = formatSubscription(definition);
    expect(name).toBe("fulfilment");
    expect(JSON.stringify(view)).not.toContain("whsec_");
    const { start, target, topics, filter, retry, maxInFlight, timeoutMs } = definition;
    expect(valueOf(subscription(view))).toEqual({
      topics,
      filter,
      retry,
      flow: { maxInFlight },
      timeoutMs,
      breaker: BREAKER_DEFAULT,
      attempts: "failures",
      schemas: new Map(),
      startFrom: start,
      target: { ...target, headers: { "X-A": HIDDEN_VALUE }, secret: null },
    });
    expect(
      formatSubscription({ ...definition, start: { kind: "earliest" }, target: { kind: "listener", name: "l" } }),
    ).toMatchObject({ startFrom: "earliest", target: { kind: "listener", name: "l" } });
  });

  it.each<[unknown, string]>([
    [{ target: TARGET }, "/topics"],
    [{ ...SUBSCRIPTION, topics: [] }, "/topics"],
    [{ ...SUBSCRIPTION, topics: "a" }, "/topics"],
    [{ ...SUBSCRIPTION, topics: ["a", "a b"] }, "/topics/1"],
    [{ ...SUBSCRIPTION, topics: [""] }, "/topics/0"],
    [{ ...SUBSCRIPTION, topics: [5] }, "/topics/0"],
    [{ ...SUBSCRIPTION, topics: Array.from({ length: 101 }, () => "a") }, "/topics"],
    [{ topics: ["a"] }, "/target"],
    [{ topics: ["a"], target: {} }, "/target/kind"],
    [{ topics: ["a"], target: 5 }, "/target/kind"],
    [{ topics: ["a"], target: { kind: "pigeon" } }, "/target/kind"],
    [{ ...SUBSCRIPTION, maxInFlight: 0 }, "/maxInFlight"],
    [{ ...SUBSCRIPTION, maxInFlight: 1_001 }, "/maxInFlight"],
    [{ ...SUBSCRIPTION, timeout: "21s" }, "/timeout"],
    [{ ...SUBSCRIPTION, timeout: "0s" }, "/timeout"],
    [{ ...SUBSCRIPTION, timeout: 5 }, "/timeout"],
    [{ ...SUBSCRIPTION, retry: { maxAttempts: 0 } }, "/retry/maxAttempts"],
    [{ ...SUBSCRIPTION, retry: 5 }, "/retry"],
    [{ ...SUBSCRIPTION, retry: { maxAttempts: 51 } }, "/retry/maxAttempts"],
    [{ ...SUBSCRIPTION, retry: { schedule: [] } }, "/retry/schedule"],
    [{ ...SUBSCRIPTION, retry: { schedule: ["5s", "2d"] } }, "/retry/schedule/1"],
    [{ ...SUBSCRIPTION, retry: { retryOn4xx: 1 } }, "/retry/retryOn4xx"],
    [{ ...SUBSCRIPTION, retry: { times: 3 } }, "/retry/times"],
    [{ ...SUBSCRIPTION, startFrom: "now" }, "/startFrom"],
    [{ ...SUBSCRIPTION, startFrom: 5 }, "/startFrom"],
    [{ ...SUBSCRIPTION, name: "x" }, "/name"],
    [withTarget({ url: "nowhere" }), "/target/url"],
    [withTarget({ url: 5 }), "/target/url"],
    [withTarget({ url: "ftp://example.com/" }), "/target/url"],
    [withTarget({ url: "https://a:b@example.com/" }), "/target/url"],
    [withTarget({ url: "https://example.com/#a" }), "/target/url"],
    [withTarget({ binding: "X" }), "/target/binding"],
    [withTarget({ url: `https://example.com/${"a".repeat(2_048)}` }), "/target/url"],
    [withTarget({ secret: secretOf(23) }), "/target/secret"],
    [withTarget({ secret: secretOf(65) }), "/target/secret"],
    [withTarget({ secret: "whsec_!" }), "/target/secret"],
    [withTarget({ secret: 5 }), "/target/secret"],
    [withTarget({ headers: [] }), "/target/headers"],
    [withTarget({ headers: { "X-A": 5 } }), "/target/headers/X-A"],
    [withTarget({ headers: { "X-A": "a\r\nX-B: c" } }), "/target/headers/X-A"],
    [withTarget({ headers: { "X-A": "ж" } }), "/target/headers/X-A"],
    [withTarget({ headers: { "X-A": "a".repeat(1_025) } }), "/target/headers/X-A"],
    [withTarget({ headers: { "X-A": "a", "x-a": "b" } }), "/target/headers/x-a"],
    [withTarget({ headers: MANY_HEADERS }), "/target/headers"],
    [{ topics: ["a"], target: { kind: "pull" }, mode: "sync" }, "/mode"],
    [{ topics: ["a"], target: { kind: "listener" } }, "/target/name"],
    [{ topics: ["a"], target: { kind: "listener", name: "a b" } }, "/target/name"],
    [{ topics: ["a"], target: { kind: "listener", name: "a", url: "x" } }, "/target/url"],
    [{ topics: ["a"], target: { kind: "worker" } }, "/target/binding"],
    [{ topics: ["a"], target: { kind: "worker", binding: "DB" } }, "/target/binding"],
    [{ topics: ["a"], target: { kind: "worker", binding: "CONSUMER_A", entrypoint: "B" } }, "/target/entrypoint"],
    [{ topics: ["a"], target: { kind: "topic" } }, "/target/topic"],
    [{ topics: ["a"], target: { kind: "topic", topic: "$a" } }, "/target/topic"],
    [{ topics: ["a"], target: { kind: "topic", topic: "a" } }, "/target/topic"],
    [{ topics: ["b", "*"], target: { kind: "topic", topic: "a" } }, "/target/topic"],
  ])("[WIRE-7] %j is refused at %s", (body, pointer) => {
    expect(refusalOf(subscription(body))).toEqual({ code: "subscription_invalid", pointers: [pointer] });
  });

  it.each([
    "Host",
    "Content-Length",
    "transfer-encoding",
    "Connection",
    "upgrade",
    "Cookie",
    "Authorization",
    "webhook-id",
    "Webhook-Signature",
    "CF-Connecting-IP",
    "X-Forwarded-For",
    "hub-x",
    "Content-Type",
    "traceparent",
    "X A",
    "",
    "1a",
    "a_b",
    "a".repeat(65),
    "X-é",
  ])("[WIRE-7] a webhook cannot set the header %j", (name) => {
    const { code, pointers } = refusalOf(subscription(withTarget({ headers: { [name]: "a" } })));
    expect([code, pointers]).toEqual(["subscription_invalid", [`/target/headers/${name}`]]);
  });

  it.each<[object, string]>([
    [{ startFrom: "offset:5" }, "/startFrom"],
    [{ startFrom: "cursor:AQUABw" }, "/startFrom"],
    [{ target: { kind: "transport" } }, "/target/kind"],
  ])("[WIRE-7] %j is refused as not offered yet", (more, pointer) => {
    const result = subscription({ ...SUBSCRIPTION, ...more });
    expect(result).toMatchObject({ ok: false, failure: { detail: "This is not offered yet." } });
    expect(refusalOf(result)).toEqual({ code: "subscription_invalid", pointers: [pointer] });
  });

  it.each<[unknown, string]>([
    [{ data: { total: [{ numeric: [">", "5"] }] } }, "/filter/data/total/0/numeric"],
    [5, "/filter"],
    [{ type: "a" }, "/filter/type"],
    [{ $or: [] }, "/filter/$or"],
    [{ type: ["a".repeat(4_096)] }, "/filter"],
  ])("[WIRE-7] the filter %j is refused with filter_invalid at %s", (filter, pointer) => {
    const refusal = refusalOf(subscription({ ...SUBSCRIPTION, filter }));
    expect(refusal).toEqual({ code: "filter_invalid", pointers: [pointer] });
  });
});
