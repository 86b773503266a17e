import { describe, expect, it } from "vitest";
import { admitsType, filterFields, isWithin } from "../../src/core/filter-fields.ts";
import { topologyOf } from "../../src/core/topology.ts";
import { formatMermaidTopology } from "../../src/wire/native/topology.ts";

describe("what a filter reads", () => {
  it("[CAT-1] is each place that a leaf looks at, in alternatives too, once", () => {
    const filter = {
      type: ["a"],
      data: { total: [{ numeric: [">", 1] }], "a/b": { c: [1] } },
      $or: [{ data: { total: [1] } }, { subject: [{ exists: true }] }],
    } as const;
    expect(filterFields(filter)).toEqual(["/type", "/data/total", "/data/a~1b/c", "/subject"]);
    expect(filterFields(null)).toEqual([]);
  });

  it("[CAT-1] concerns a change at the same place, above it and below it", () => {
    expect(isWithin("/data/total", "/data/total")).toBe(true);
    expect(isWithin("/data/total", "/data")).toBe(true);
    expect(isWithin("/data/total", "/data/total/amount")).toBe(true);
    expect(isWithin("/data/total", "/data/tot")).toBe(false);
    expect(isWithin("/data/total", "/data/totals")).toBe(false);
  });

  it("[CAT-1] admits a type unless its leaf refuses it", () => {
    expect(admitsType(null, "order.created")).toBe(true);
    expect(admitsType({ data: { a: [1] } }, "order.created")).toBe(true);
    expect(admitsType({ type: [{ prefix: "order." }] }, "order.created")).toBe(true);
    expect(admitsType({ type: ["order.paid"] }, "order.created")).toBe(false);
    expect(admitsType({ $or: [{ type: ["x"] }, { type: ["y"] }] }, "order.created")).toBe(true);
  });
});

describe("a topology", () => {
  const topics = ["order.created", "order.paid", "audit"].map((name) => ({
    name,
    partitions: 1,
    schemaPolicy: "off" as const,
  }));
  const webhook = {
    kind: "webhook",
    url: "https://user.example.com:8443/secret?token=x",
    headers: {},
    secret: "s",
  } as const;
  const topology = topologyOf(topics, [
    { name: "hooked", topics: ["order.*"], filter: { data: { total: [1] } }, target: webhook },
    { name: "copied", topics: ["order.paid"], filter: null, target: { kind: "topic", topic: "audit" } },
    { name: "idle", topics: ["nothing.*"], filter: null, target: { kind: "pull" } },
  ]);

  it("[CAT-2] leads from topics through subscriptions to hosts and names, and shows no address", () => {
    expect(topology.flows).toEqual([
      {
        subscription: "hooked",
        patterns: ["order.*"],
        topics: ["order.created", "order.paid"],
        fields: ["/data/total"],
        target: { kind: "webhook", name: "user.example.com:8443" },
      },
      {
        subscription: "copied",
        patterns: ["order.paid"],
        topics: ["order.paid"],
        fields: [],
        target: { kind: "topic", name: "audit" },
      },
      {
        subscription: "idle",
        patterns: ["nothing.*"],
        topics: [],
        fields: [],
        target: { kind: "pull", name: "workers" },
      },
    ]);
    expect(JSON.stringify(topology)).not.toContain("token");
  });

  it("[CAT-2] tells who was seen to publish, by source, into topics that are there", () => {
    const seen = [
      { source: "/shop", topic: "order.created" },
      { source: "/shop", topic: "order.paid" },
      { source: "/shop", topic: "order.paid" },
      { source: "/gone", topic: "deleted" },
    ];
    expect(topologyOf(topics, [], seen).producers).toEqual([
      { source: "/shop", topics: ["order.created", "order.paid"] },
    ]);
  });

  it("[CAT-2] is a flowchart as well, whose labels end nothing", () => {
    expect(formatMermaidTopology(topology)).toBe(`flowchart LR
  t0[["order.created"]]
  t1[["order.paid"]]
  t2[["audit"]]
  s0("hooked")
  t0 --> s0
  t1 --> s0
  s0 --> c0{{"webhook user.example.com:8443"}}
  s1("copied")
  t1 --> s1
  s1 --> t2
  s2("idle (nothing.*)")
  s2 --> c2{{"pull workers"}}
`);
    const wide = Array.from({ length: 400 }, (_, index) => ({ ...topics[0]!, name: `t${index}` }));
    const everything = { topics: ["**"], filter: null, target: { kind: "pull" } } as const;
    const twice = ["a", "b"].map((name) => ({ name, ...everything }));
    const cut = formatMermaidTopology(topologyOf(wide, twice));
    expect(cut.match(/-->/g)).toHaveLength(500);
    expect(cut).toMatch(/\n%% What does not fit in stands in the JSON\.\n$/);
    const hostile = topologyOf([{ ...topics[0]!, name: 'a"]; click t0 "x' }], []);
    expect(formatMermaidTopology(hostile)).toBe('flowchart LR\n  t0[["a#34;]#59; click t0 #34;x"]]\n');
  });
});
