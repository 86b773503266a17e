import { describe, expect, it } from "vitest";
import { topologyOf } from "../../../src/core/topology.ts";
import { formatSrujaTopology } from "../../../src/wire/native/sruja.ts";
import { formatMermaidTopology } from "../../../src/wire/native/topology.ts";
import { canDraw, draw } from "../../builders/mermaid.ts";

if (!canDraw) console.log("What Mermaid draws is not tested: no Chromium was found.");

const topic = (name: string) => ({ name, partitions: 2, schemaPolicy: "enforce" as const });
const webhook = { kind: "webhook", url: "https://shop.example.com/hook?key=x", headers: {}, secret: "s" } as const;
const subscriptions = [
  { name: "hooked", topics: ["order.*"], filter: { data: { total: [1] } }, target: webhook },
  { name: "copied", topics: ["order.created"], filter: null, target: { kind: "topic", topic: "audit" } },
] as const;
const topology = topologyOf([topic("order.created"), topic("audit")], subscriptions, [
  { source: "/shop", topic: "order.created" },
]);

/** Names that a topic or a source cannot have stand here as well: the drawing must not depend on that. */
const HOSTILE = [
  'a"]; click t0 "x',
  "end",
  "subgraph",
  "$x.y",
  "<b>bold</b>",
  "ünï.cöde😀",
  "a#quot;b",
  "%%{init}%%",
  "a`b`",
  "--> t1",
];

describe("a topology as Mermaid", () => {
  it.skipIf(!canDraw)("[CAT-7] is drawn by Mermaid, with every name as it is", { timeout: 90_000 }, async () => {
    const hostile = topologyOf(
      HOSTILE.map(topic),
      [{ name: "all", topics: ["**"], filter: null, target: { kind: "pull" } }],
      HOSTILE.map((source) => ({ source, topic: "end" })),
    );
    const wide = topologyOf(
      Array.from({ length: 120 }, (_, index) => topic(`t${index}`)),
      Array.from({ length: 6 }, (_, index) => ({ name: `s${index}`, topics: ["**"], filter: null, target: webhook })),
    );
    const [plain, odd, cut] = await draw([topology, hostile, wide].map(formatMermaidTopology));
    expect(plain).toEqual(expect.arrayContaining(["/shop", "order.created", "hooked", "webhook shop.example.com"]));
    expect(odd).toEqual(expect.arrayContaining(HOSTILE));
    expect(cut).toContain("t119");
  });
});

describe("a topology as Sruja's text", () => {
  it("[CAT-8] has systems, queues, scenarios, flows and views", () => {
    expect(formatSrujaTopology(topology)).toBe(SRUJA);
  });

  it("[CAT-8] has no name that ends its string or its line", () => {
    const text = formatSrujaTopology(topologyOf(['a"\n}', "b\\"].map(topic), []));
    expect(text).toContain(`T0 = queue "a' }" {`);
    expect(text).toContain(`T1 = queue "b/" {`);
    for (const line of text.split("\n")) expect((line.match(/"/g) ?? []).length % 2).toBe(0);
  });
});

const SRUJA = `import { * } from 'sruja.ai/stdlib'

P0 = system "/shop"

Hub = system "Tidings" {
  T0 = queue "order.created" {
    technology "Tidings topic"
    description "Partitions: 2; schemas: enforce"
  }
  T1 = queue "audit" {
    technology "Tidings topic"
    description "Partitions: 2; schemas: enforce"
  }
  S0 = container "hooked" {
    technology "Tidings subscription"
    description "Follows order.*; reads /data/total"
  }
  S1 = container "copied" {
    technology "Tidings subscription"
    description "Follows order.created"
  }
  P0 -> T0 "Publishes"
  T0 -> S0 "Gives its events"
  S0 -> C0 "Delivers"
  T0 -> S1 "Gives its events"
  S1 -> T1 "Publishes again"
}

C0 = system "shop.example.com" {
  description "Reached as webhook"
}

EventT0 = scenario "An event of order.created" {
  P0 -> T0 "Publishes the event"
  T0 -> S0 "Gives the event"
  S0 -> C0 "Delivers"
  T0 -> S1 "Gives the event"
  S1 -> T1 "Publishes again"
}

flow Republish1 "copied to audit" {
  T0 -> S1 "Gives its events"
  S1 -> T1 "Publishes again"
}

view index {
  title "Everything"
  include *
}

view eventflow {
  title "Topics and who follows them"
  include Hub.T0
  include Hub.T1
  include Hub.S0
  include Hub.S1
  exclude P0 C0
}

view delivery {
  title "Subscriptions and whom they reach"
  include Hub.S0
  include Hub.S1
  include C0
  exclude P0 Hub.T0 Hub.T1
}
`;
