import { describe, expect, it } from "vitest";
import { concernedBy, consumersOf, stepsAt } from "../../src/core/impact.ts";
import type { Upcast } from "../../src/core/upcast.ts";

const consumers = consumersOf("order.created", [
  { name: "large", filter: { data: { total: [{ numeric: [">", 100] }] } } },
  { name: "paid", filter: { type: ["order.paid"] } },
  { name: "lifted", filter: null, lifts: { "order.created": { version: 3, upcasts: [] } } },
]);

describe("a change of a field", () => {
  it("[CAT-6] concerns those whose filters admit the type and read there, above it or below it", () => {
    expect(consumers.map(({ subscription, version }) => [subscription, version])).toEqual([
      ["large", null],
      ["lifted", 3],
    ]);
    expect(concernedBy("/data/total", consumers).map(({ subscription }) => subscription)).toEqual(["large"]);
    expect(concernedBy("/data/total/amount", consumers)).toHaveLength(1);
    expect(concernedBy("/data/note", consumers)).toEqual([]);
  });

  it("[CAT-6] concerns the steps of an upcast that take or make what stands there", () => {
    const upcast: Upcast = [
      { op: "rename", path: ["total"], to: "sum" },
      { op: "move", from: ["a", "b"], path: ["c"] },
      { op: "default", path: ["lines", "*", "vat"], value: "0" },
      { op: "drop", path: ["x/y"] },
      { op: "wrap", path: ["name"], in: "text" },
    ];
    const at = (field: string): readonly string[] => stepsAt(field, upcast);
    expect(at("/data/total")).toEqual(["rename"]);
    expect(at("/data/sum")).toEqual(["rename"]);
    expect(at("/data/a")).toEqual(["move"]);
    expect(at("/data/c/d")).toEqual(["move"]);
    expect(at("/data/lines/3/vat")).toEqual(["default"]);
    expect(at("/data/lines/3/net")).toEqual([]);
    expect(at("/data/x~1y")).toEqual(["drop"]);
    expect(at("/data/name/text")).toEqual(["wrap"]);
    expect(at("/data")).toHaveLength(5);
    expect(at("/subject")).toEqual([]);
  });
});
