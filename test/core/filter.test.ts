import { describe, expect, it } from "vitest";
import { compileFilter } from "../../src/core/filter.ts";
import { parseFilter, type FilterPattern } from "../../src/core/filter-pattern.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { ABSENT, BAD_PATTERNS, EVENT_CASES, LEAF_CASES } from "./filter-cases.ts";

const event = {
  type: "order.created",
  source: "/shop",
  partitionkey: "customer-7",
  topic: "orders",
  data: {
    total: 120,
    currency: "EUR",
    paid: false,
    coupon: null,
    tags: ["new", "vip"],
    lines: [{ sku: "a" }, { sku: "b", gift: true }],
  },
};

const matches = (pattern: FilterPattern): boolean => compileFilter(pattern).matches(event);

describe("a filter matches", () => {
  it.each<[string, FilterPattern]>([
    ["a type among several", { type: ["order.cancelled", "order.created"] }],
    ["a key", { key: ["customer-7"] }],
    ["a key by the name that CloudEvents has for it", { partitionkey: ["customer-7"] }],
    ["a number", { data: { total: [120] } }],
    ["a boolean", { data: { paid: [false] } }],
    ["null that is there", { data: { coupon: [null] } }],
    ["one element of a list", { data: { tags: ["vip"] } }],
    ["a member of one element of a list", { data: { lines: { sku: ["b"] } } }],
    ["two members of the same element", { data: { lines: { sku: ["b"], gift: [true] } } }],
    [
      "everything at once",
      {
        type: ["order.created"],
        key: ["customer-7"],
        data: { currency: ["EUR", "USD"], total: [120] },
      },
    ],
  ])("[FLT-1] %s", (_what, pattern) => {
    expect(matches(pattern)).toBe(true);
  });

  it.each<[string, FilterPattern]>([
    ["another type", { type: ["order.cancelled"] }],
    ["another key", { key: ["customer-8"] }],
    ["a number written as text", { data: { total: ["120"] } }],
    ["a member that is not there", { data: { missing: [null] } }],
    ["a member of the prototype", { data: { toString: ["x"] } }],
    ["when one of two members fails", { data: { currency: ["EUR"], total: [121] } }],
    ["members that stand in different elements", { data: { lines: { sku: ["a"], gift: [true] } } }],
    ["an object where a value is asked for", { data: { lines: ["a"] } }],
    ["a value where an object is asked for", { data: { total: { amount: [120] } } }],
  ])("[FLT-1] not %s", (_what, pattern) => {
    expect(matches(pattern)).toBe(false);
  });

  it("[FLT-1] everything, when there is no filter", () => {
    expect(compileFilter(null)).toMatchObject({ types: null, keys: null, readsContent: false });
    expect(compileFilter(null).matches(event)).toBe(true);
  });
});

/** As a client sends it: through JSON, and checked. */
function compiled(pattern: unknown): (event: object) => boolean {
  const parsed = parseFilter(JSON.parse(JSON.stringify(pattern)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure));
  return (event) => compileFilter(parsed.value).matches(event);
}

const eventWith = (value: unknown): object => ({ type: "t", data: value === ABSENT ? { y: 1 } : { x: value } });

const leafCases = LEAF_CASES.flatMap(({ leaf, takes, leaves }) => [
  ...takes.map((value) => ({ leaf, value, taken: true })),
  ...leaves.map((value) => ({ leaf, value, taken: false })),
]);

describe("an operator", () => {
  it(`[FLT-1] is tried on ${leafCases.length} documented cases, at least three hundred`, () => {
    expect(leafCases.length).toBeGreaterThanOrEqual(300);
  });

  it.each(leafCases)("[FLT-1] $leaf and $value: $taken", ({ leaf, value, taken }) => {
    expect(compiled({ data: { x: [leaf] } })(eventWith(value))).toBe(taken);
  });
});

describe("a pattern asks for", () => {
  it.each(EVENT_CASES)("[FLT-1] $says", ({ pattern, takes, leaves }) => {
    const matchesEvent = compiled(pattern);
    for (const taken of takes) expect([taken, matchesEvent(taken)]).toEqual([taken, true]);
    for (const left of leaves) expect([left, matchesEvent(left)]).toEqual([left, false]);
  });

  it("[FLT-4] an answer in linear time, however many stars and elements there are", () => {
    const stars = compiled({ data: { x: [{ wildcard: `${"a*".repeat(1_000)}b` }] } });
    expect(stars({ data: { x: "a".repeat(250_000) } })).toBe(false);
    const many = compiled({ data: { x: { y: [{ exists: false }, ...Array.from({ length: 199 }, (_, at) => at)] } } });
    expect(many({ data: { x: Array.from({ length: 100_000 }, () => ({ y: "z" })) } })).toBe(false);
  });
});

describe("a compiled filter tells the log", () => {
  it("[FLT-2] the types and keys that it can decide without parsing, and that nothing else is asked", () => {
    expect(compileFilter({ type: ["a", "b"], key: ["k"] })).toMatchObject({
      types: ["a", "b"],
      keys: ["k"],
      readsContent: false,
    });
  });

  it("[FLT-2] that content has to be read when more than types and keys count", () => {
    expect(compileFilter({ type: ["a"], data: { x: [1] } })).toMatchObject({ types: ["a"], readsContent: true });
    expect(compileFilter({ type: ["a", null] })).toMatchObject({ types: null, readsContent: true });
  });
});

describe("a filter is refused", () => {
  it.each(BAD_PATTERNS)("[FLT-3] %j at %s", (pattern, pointer) => {
    expect(parseFilter(pattern)).toMatchObject({
      ok: false,
      failure: { code: "filter_invalid", errors: [{ pointer }] },
    });
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a string", "type"],
    ["a list", ["order.created"]],
    ["an empty object", {}],
    ["an empty leaf", { type: [] }],
    ["an empty nested object", { data: {} }],
    ["a bare value", { type: "order.created" }],
    ["__proto__", JSON.parse(`{"__proto__":["x"]}`)],
    ["constructor", { data: { constructor: ["x"] } }],
    ["more levels than the limit", nested(LIMITS.FILTER_DEPTH_MAX + 1)],
    [
      "more values than the limit",
      {
        type: Array.from({ length: LIMITS.FILTER_VALUES_MAX + 1 }, (_, index) => `t${index}`),
      },
    ],
  ])("[FLT-3] when it is, or holds, %s", (_what, pattern) => {
    expect(parseFilter(pattern)).toMatchObject({ ok: false, failure: { code: "filter_invalid" } });
  });

  it("[FLT-3] and not when it is just within the limits", () => {
    expect(parseFilter(nested(LIMITS.FILTER_DEPTH_MAX)).ok).toBe(true);
    expect(parseFilter({ type: Array.from({ length: LIMITS.FILTER_VALUES_MAX }, (_, index) => `t${index}`) }).ok).toBe(
      true,
    );
  });

  it("[FLT-3] with a pointer that escapes what JSON Pointer escapes", () => {
    expect(parseFilter({ "a/b~c": [{}] })).toMatchObject({ failure: { errors: [{ pointer: "/a~1b~0c/0" }] } });
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? ["x"] : { deeper: nested(levels - 1) };
}
