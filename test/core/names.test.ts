import { describe, expect, it } from "vitest";
import {
  coversTopicPattern,
  isSubscriptionName,
  isSystemTopicName,
  isTopicName,
  isTopicPattern,
  matchesTopicPattern,
} from "../../src/core/names.ts";

describe("names of topics", () => {
  it.each([
    "a",
    "order.created",
    "chat.room-1",
    "presence-room",
    "private-encrypted-x",
    "a:b@c=d,e;f",
    "9",
    "a..b",
    "a".repeat(200),
  ])("%s is one", (name) => {
    expect(isTopicName(name)).toBe(true);
    expect(isTopicPattern(name)).toBe(true);
    expect(matchesTopicPattern(name, name)).toBe(true);
  });

  it.each([
    "",
    ".a",
    "-a",
    "a b",
    "a/b",
    "a*",
    "*",
    "$a",
    "é",
    "a\n",
    "\na",
    "a%20b",
    "__proto__",
    "a".repeat(201),
    "a\u0000",
  ])("%j is none", (name) => {
    expect(isTopicName(name)).toBe(false);
  });

  it("tells the hub's own by their dollar", () => {
    expect(isSystemTopicName("$audit")).toBe(true);
    expect(isSystemTopicName("$")).toBe(false);
    expect(isSystemTopicName("audit")).toBe(false);
  });

  it("knows the names of subscriptions", () => {
    expect(["a", "fulfilment-2", "a_b.c"].every(isSubscriptionName)).toBe(true);
    expect(["", "-a", "a:b", "a/b", "$a", "a".repeat(101), "a\n"].some(isSubscriptionName)).toBe(false);
  });
});

describe("patterns", () => {
  it.each([
    ["**", "order.created", true],
    ["**", "**", true],
    ["**", "*.a*", true],
    ["*", "a", true],
    ["*", "a*", true],
    ["*", "*", true],
    ["*", "**", false],
    ["a*", "a", true],
    ["a*", "ab*", true],
    ["a*", "*", false],
    ["a*", "b*", false],
    ["order.*", "order.created", true],
    ["order.*", "order.**", false],
    ["order.*", "order.created.eu", false],
    ["order.**", "order.*.eu", true],
    ["order.**", "order.**", true],
    ["order.**", "**", false],
    ["order.**", "order", false],
    ["order.created", "order.*", false],
    ["**", "$audit", false],
    ["$**", "$audit", true],
    ["$**", "order", false],
  ])("[NAM-2] %s covers %s: %s", (wide, narrow, covers) => {
    expect([wide, narrow].every(isTopicPattern)).toBe(true);
    expect(coversTopicPattern(wide, narrow)).toBe(covers);
  });

  it.each([
    ["order.*", "order.created", true],
    ["order.*", "order", false],
    ["order.*", "order.a.b", false],
    ["order.**", "order.created", true],
    ["order.**", "order.a.b.c", true],
    ["order.**", "order", false],
    ["**", "order", true],
    ["**", "a.b.c", true],
    ["*", "order", true],
    ["*", "a.b", false],
    ["*.created", "order.created", true],
    ["*.created", "order.updated", false],
    ["*.*", "a.b", true],
    ["a.*.c", "a.b.c", true],
    ["a.*.c", "a.b.d", false],
    ["a.*.**", "a.b", false],
    ["a.*.**", "a.b.c.d", true],
    ["order.created", "order.created", true],
    ["order.created", "Order.created", false],
    ["**", "$audit", false],
    ["*", "$audit", false],
    ["$**", "order", false],
    ["$audit", "$audit", true],
    ["$audit.*", "$audit.keys", true],
    ["$**", "$audit", true],
    ["$*", "$audit", true],
    ["$**", "$audit.keys", true],
    ["$*", "$audit.keys", false],
    ["a.*", "a..b", false],
    ["a.**", "a..b", true],
    ["presence-*", "presence-room", true],
    ["presence-*", "presence-", true],
    ["presence-*", "private-room", false],
    ["presence-*", "presence-room.1", false],
    ["order.c*", "order.created", true],
    ["order.c*.x", "order.c.x", true],
  ])("[NAM-1] %s and %s: %s", (pattern, topic, matches) => {
    expect(isTopicPattern(pattern)).toBe(true);
    expect(matchesTopicPattern(pattern, topic)).toBe(matches);
  });

  it.each([
    "",
    "$",
    "**.a",
    "a.**.b",
    "a*b",
    "order.c**",
    "***",
    "a.b c",
    "a/b",
    "é",
    "$$",
    "a".repeat(201),
    "order.*\n",
    "*a",
  ])("[NAM-1] %j is no pattern", (pattern) => {
    expect(isTopicPattern(pattern)).toBe(false);
  });
});
