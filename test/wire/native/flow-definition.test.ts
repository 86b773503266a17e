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
    expect(parsed.ok && parsed.value.ordering).toBe(ordering);
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
