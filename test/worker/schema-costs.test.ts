/** What looking at a schema may cost, whoever wrote it. */
import { expect, it } from "vitest";
import { readSchema } from "../../src/core/schema-document.ts";
import { inclusionDifferences } from "../../src/core/schema-inclusion.ts";
import { acceptsValue, Validator } from "../../src/worker/schema-validator.ts";
import { valueOf } from "../builders/log.ts";

it("[SCH-12] alternatives with many values each are not all held against each other", () => {
  let asked = 0;
  const ofValues = (first: number) => {
    const values = (from: number) => Array.from({ length: 159 }, (_, index) => ({ value: first + from + index }));
    return valueOf(readSchema({ oneOf: Array.from({ length: 20 }, (_, at) => ({ enum: values(at * 1_000) })) }, ""));
  };
  const found = inclusionDifferences(ofValues(0), ofValues(1), (schema, value) => {
    asked += 1;
    return acceptsValue(schema, value);
  });
  expect(found).toMatchObject([{ rule: "oneOf", isCertain: false }]);
  expect(asked).toBeLessThan(55_000);
});

it("[SCH-12] a long text is not held against patterns that begin anew at each of its characters", () => {
  const violationsOf = (patterns: readonly string[]) => {
    const schema = valueOf(readSchema({ allOf: patterns.map((pattern) => ({ pattern })) }, ""));
    return new Validator(schema).violations("a".repeat(250_000), 250_002);
  };
  expect(violationsOf(Array<string>(10).fill("a{200}c"))).toMatchObject([{ detail: expect.stringContaining("text") }]);
  expect(violationsOf(["a{40}"])).toEqual([]);
  expect(violationsOf(Array<string>(150).fill("^a*$"))).toEqual([]);
});

it("[SCH-12] a document full of the longest patterns is read before long", () => {
  const pattern = `^${Array.from({ length: 249 }, (_, index) => `${String.fromCodePoint(0xa1 + index)}?`).join("")}$`;
  const properties = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`p${index}`, { pattern }]));
  const begun = performance.now();
  expect(readSchema({ properties }, "").ok).toBe(true);
  expect(performance.now() - begun).toBeLessThan(4_000); // 0.8 s here; once it was nine.
});
