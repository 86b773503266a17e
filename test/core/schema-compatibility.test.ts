import { describe, expect, it } from "vitest";
import {
  COMPATIBILITIES,
  incompatibilities,
  type Compatibility,
  type Incompatibility,
} from "../../src/core/schema-compatibility.ts";
import { readSchema } from "../../src/core/schema-document.ts";
import { inclusionDifferences } from "../../src/core/schema-inclusion.ts";
import type { Schema } from "../../src/core/schema.ts";
import { acceptsValue } from "../../src/worker/schema-validator.ts";
import { seededRandom } from "../harness/random.ts";
import { valueOf } from "../wire/schema.ts";
import { CHANGES as SIMPLE_CHANGES } from "./schema-compatibility-cases.ts";
import { COMPOSED_CHANGES, HISTORIES } from "./schema-compatibility-composed.ts";

const CHANGES = [...SIMPLE_CHANGES, ...COMPOSED_CHANGES];

const schemaOf = (document: unknown): Schema => valueOf(readSchema(document, ""));

const decide = (before: unknown, after: unknown, mode: Compatibility): readonly Incompatibility[] =>
  incompatibilities([{ version: 1, schema: schemaOf(before) }], schemaOf(after), mode, acceptsValue);

/** As the table writes it. */
const pointersOf = (found: readonly Incompatibility[], breaks: "writers" | "readers"): string =>
  found
    .filter((difference) => difference.breaks === breaks)
    .map(({ pointer, isCertain }) => `${pointer === "" ? "#" : pointer}${isCertain ? "" : "?"}`)
    .join(" ");

it("the table is as large as it was meant to be, and no change stands in it twice", () => {
  expect(CHANGES.length).toBeGreaterThanOrEqual(150);
  expect(new Set(CHANGES.map(([name]) => name)).size).toBe(CHANGES.length);
});

describe.each(CHANGES)("%s", (_name, before, after, writers, readers) => {
  it.each(COMPATIBILITIES)("[SCH-1] %s", (mode) => {
    const found = decide(before, after, mode);
    expect({ writers: pointersOf(found, "writers"), readers: pointersOf(found, "readers") }).toEqual({
      writers: /^(backward|full)/.test(mode) ? writers : "",
      readers: /^(forward|full)/.test(mode) ? readers : "",
    });
  });
});

describe.each(HISTORIES)("after a history: %s", (_name, history, next, allowed) => {
  it.each(COMPATIBILITIES)("[SCH-1] %s", (mode) => {
    const versions = history.map((document, index) => ({ version: index + 1, schema: schemaOf(document) }));
    const found = incompatibilities(versions, schemaOf(next), mode, acceptsValue);
    expect(found.length === 0).toBe(allowed.split(" ").includes(mode));
  });
});

const SEED = Number(process.env["SEED"] ?? Date.now() % 100_000);
const DOCUMENTS = CHANGES.flatMap(([, before, after]) => [before, after]);
const VALUES: readonly unknown[] = JSON.parse(`[
  null, true, false, 0, 1, 2, 3.5, 5, 9, 10, -1, 0.3, 0.01, "", "a", "b", "bb", "bbb", "ab", "xxxxxxxxxxxx",
  "2026-11-21", "2026-11-21T10:00:00Z", "123e4567-e89b-42d3-a456-426614174000",
  [], [1], ["a"], ["a", "a"], ["a", 1], [1, "a"], [[1]], [["a"]], [{"a": "x"}], [{"a": "x", "b": "y"}], ["a", "b", "c"],
  {}, {"a": "x"}, {"a": 1}, {"a": 1.5}, {"a": null}, {"b": "x"}, {"b": 1}, {"a": "x", "b": "y"}, {"a": 1, "b": 2},
  {"o": {}}, {"o": {"b": 1}}, {"o": {"b": "x"}}, {"kind": "a"}, {"kind": "b"}, {"kind": "a", "x": "1"}, {"kind": "c"},
  {"x-a": "s"}, {"x-a": 1}, {"y-a": "s"}, {"x": 1}, {"x": "s"}, {"a": {}}, {"a": []}, {"a": {"a": "x"}}
]`) as unknown[];

/** The same with nothing beside what it names: members that a schema does not name are nobody's. */
function withoutOthers(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(withoutOthers);
  if (typeof document !== "object" || document === null) return document;
  const inner = Object.fromEntries(Object.entries(document).map(([name, value]) => [name, withoutOthers(value)]));
  const isOpen = ("type" in inner || "properties" in inner) && !("unevaluatedProperties" in inner);
  const { additionalProperties: rest = true, ...named } = inner as { additionalProperties?: unknown };
  return isOpen ? { ...named, additionalProperties: rest === true ? false : rest } : inner;
}

it(`[SCH-2] what is said to be allowed is allowed, of any two schemas of the table (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const pick = (): unknown => DOCUMENTS[Math.floor(random() * DOCUMENTS.length)];
  let [included, checked] = [0, 0];
  for (let round = 0; round < 3_000; round += 1) {
    const [narrow, wide] = [pick(), pick()];
    const [from, to] = [schemaOf(narrow), schemaOf(wide)];
    const named = schemaOf(withoutOthers(narrow));
    if (inclusionDifferences(from, to, acceptsValue).length > 0) continue;
    included += 1;
    for (const value of VALUES) {
      if (!acceptsValue(named, value) || !acceptsValue(from, value)) continue;
      checked += 1;
      expect(acceptsValue(to, value), JSON.stringify({ narrow, wide, value })).toBe(true);
    }
  }
  expect(included).toBeGreaterThan(80);
  expect(checked).toBeGreaterThan(400);
});
