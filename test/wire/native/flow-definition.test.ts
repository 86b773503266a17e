/** How a subscription says in which order, in what portions and how fast it is delivered. */
import { describe, expect, it } from "vitest";
import type { SubscriptionDefinition } from "../../../src/core/subscription.ts";
import { formatSubscription, parseSubscriptionDefinition } from "../../../src/wire/native/subscription-definition.ts";

const parse = (more: object) =>
  parseSubscriptionDefinition(
    JSON.stringify({ topics: ["t"], target: { kind: "webhook", url: "https://example.com" }, ...more }),
  );

const makeDefinition = (more: Partial<SubscriptionDefinition>): SubscriptionDefinition => ({
  id: "sub",
  app: "default",
  name: "sub",
  revision: 1,
  topics: ["t"],
  filter: null,
  start: { kind: "earliest" },
  target: { kind: "listener", name: "nobody" },
  retry: { maxAttempts: 3, delaysMs: [0], retryOn4xx: false },
  maxInFlight: 100,
  timeoutMs: 1_000,
  ...more,
});

describe("order", () => {
  it.each([
    [{}, undefined, "none"],
    [{ ordering: "none" }, undefined, "none"],
    [{ ordering: "key" }, "key", "key"],
    [{ ordering: "strict" }, "strict", "strict"],
  ] as const)("%j is read and shown again", (given, ordering, shown) => {
    const parsed = parse(given);
    expect(parsed.ok && parsed.value.flow.ordering).toBe(ordering);
    expect(formatSubscription(makeDefinition(ordering === undefined ? {} : { ordering })).ordering).toBe(shown);
  });

  it("is not offered for workers that pull yet", () => {
    expect(parse({ ordering: "key", target: { kind: "pull" } })).toMatchObject({
      ok: false,
      failure: { errors: [{ pointer: "/ordering", detail: "This is not offered yet." }] },
    });
  });

  it("of another kind is refused", () => {
    expect(parse({ ordering: "newest" })).toMatchObject({ ok: false, failure: { code: "subscription_invalid" } });
  });
});

describe("batches", () => {
  const batch = { maxEvents: 100, maxBytes: 262_144, maxWaitMs: 1_000 };

  it("have their defaults, and a window that they fit into", () => {
    expect(parse({ mode: "batch" })).toMatchObject({ ok: true, value: { flow: { batch, maxInFlight: 200 } } });
  });

  it("are read and shown again", () => {
    const given = { mode: "batch", batch: { maxEvents: 5, maxBytes: 2_048, maxWait: "250ms" } } as const;
    const parsed = parse(given);
    expect(parsed.ok && parsed.value.flow.batch).toEqual({ maxEvents: 5, maxBytes: 2_048, maxWaitMs: 250 });
    expect(formatSubscription(makeDefinition(parsed.ok ? parsed.value.flow : {}))).toMatchObject(given);
  });

  it.each<[object, string]>([
    [{ batch: { maxEvents: 5 } }, "/batch"],
    [{ mode: "async", batch: {} }, "/batch"],
    [{ mode: "batch", batch: { maxEvents: 0 } }, "/batch/maxEvents"],
    [{ mode: "batch", batch: { maxEvents: 501 } }, "/batch/maxEvents"],
    [{ mode: "batch", batch: { maxEvents: 20 }, maxInFlight: 19 }, "/batch/maxEvents"],
    [{ mode: "batch", batch: { maxBytes: 2_000_000 } }, "/batch/maxBytes"],
    [{ mode: "batch", batch: { maxWait: "61s" } }, "/batch/maxWait"],
    [{ mode: "batch", ordering: "key" }, "/ordering"],
    [{ mode: "batch", target: { kind: "listener", name: "l" } }, "/mode"],
  ])("%j is refused", (given, pointer) => {
    expect(parse(given)).toMatchObject({ ok: false, failure: { code: "subscription_invalid", errors: [{ pointer }] } });
  });
});

describe("a rate", () => {
  it("is a whole number of calls a second, or none", () => {
    expect(parse({ ratePerSecond: 10 })).toMatchObject({ ok: true, value: { flow: { ratePerSecond: 10 } } });
    expect(formatSubscription(makeDefinition({ ratePerSecond: 10 })).ratePerSecond).toBe(10);
    expect(formatSubscription(makeDefinition({})).ratePerSecond).toBeNull();
    expect([0, 0.5, 10_001, "5"].map((ratePerSecond) => parse({ ratePerSecond }).ok)).not.toContain(true);
    expect(parse({ ratePerSecond: 1, target: { kind: "pull" } }).ok).toBe(false);
  });
});
