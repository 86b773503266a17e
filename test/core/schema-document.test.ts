import { describe, expect, it } from "vitest";
import { readSchema } from "../../src/core/schema-document.ts";
import { refusalOf, valueOf } from "../wire/schema.ts";

const doubled = (levels: number, wrap: (inner: object) => object): object => {
  const $defs = Object.fromEntries(
    Array.from({ length: levels }, (_, level) => [`d${level}`, wrap({ $ref: `#/$defs/d${level + 1}` })]),
  );
  return { $ref: "#/$defs/d0", $defs: { ...$defs, [`d${levels}`]: { type: "string" } } };
};

describe("a schema", () => {
  it("[SCH-3] is read with its references followed and its annotations left out", () => {
    const document = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "https://example.com/order",
      title: "Order",
      "x-owner": { $ref: "nowhere" },
      type: "object",
      properties: { a: { $ref: "#/$defs/a%20b~1c" }, id: { type: "string", format: "colour" } },
      $defs: { "a b/c": { type: ["integer", "null"] } },
    };
    expect(valueOf(readSchema(document, ""))).toEqual({
      type: ["object"],
      properties: { a: { type: ["integer", "null"] }, id: { type: ["string"] } },
    });
  });

  it.each([
    [7, ""],
    [[], ""],
    [{ type: "text" }, "/type"],
    [{ type: [] }, "/type"],
    [{ enum: [] }, "/enum"],
    [{ enum: "a" }, "/enum"],
    [{ minimum: "1" }, "/minimum"],
    [{ maxLength: -1 }, "/maxLength"],
    [{ maxLength: 1.5 }, "/maxLength"],
    [{ multipleOf: 0 }, "/multipleOf"],
    [{ pattern: "(" }, "/pattern"],
    [{ pattern: "^(a+)+$" }, "/pattern"],
    [{ patternProperties: { "^(a+)+$": {} } }, "/patternProperties/^(a+)+$"],
    [{ required: "a" }, "/required"],
    [{ required: [1] }, "/required"],
    [{ properties: [] }, "/properties"],
    [{ properties: { "a/b": 5 } }, "/properties/a~1b"],
    [{ items: [{ type: "string" }] }, "/items"],
    [{ anyOf: [] }, "/anyOf"],
    [{ anyOf: [{}, 5] }, "/anyOf/1"],
    [{ not: null }, "/not"],
    [{ uniqueItems: "yes" }, "/uniqueItems"],
    [{ dependentRequired: { a: "b" } }, "/dependentRequired/a"],
    [{ $schema: "http://json-schema.org/draft-07/schema#" }, "/$schema"],
    [{ $anchor: "a" }, "/$anchor"],
    [{ $dynamicRef: "#a" }, "/$dynamicRef"],
    [{ dependencies: {} }, "/dependencies"],
    [{ properties: { a: { $id: "https://example.com/a" } } }, "/properties/a/$id"],
    [{ $ref: "https://example.com/a.json" }, "/$ref"],
    [{ $ref: "#/$defs/nowhere" }, "/$ref"],
    [{ $ref: "#anchor" }, "/$ref"],
    [{ $ref: "#/%ff" }, "/$ref"],
    [{ $ref: "#/$defs/constructor", $defs: {} }, "/$ref"],
    [{ $ref: "#" }, ""],
    [{ properties: { child: { $ref: "#" } } }, ""],
    [{ $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } }, "/$defs/a"],
    [doubled(12, (inner) => ({ properties: { a: inner, b: inner } })), ""],
    [doubled(8, (inner) => ({ allOf: [inner, inner] })), ""],
    [doubled(70, (inner) => ({ properties: { a: inner } })), ""],
  ])("[SCH-3] %j is refused at %s", (document, pointer) => {
    const { code, pointers } = refusalOf(readSchema(document, "/schema"));
    expect(code).toBe("schema_invalid");
    expect(pointers[0]).toBe(`/schema${pointer}`);
  });

  it("[SCH-3] names everything that is wrong", () => {
    const document = { type: "text", properties: { a: { minLength: "1" }, b: { pattern: "a|", minimum: [] } } };
    const { pointers } = refusalOf(readSchema(document, ""));
    expect(pointers).toEqual(["/type", "/properties/a/minLength", "/properties/b/minimum"]);
  });
});
