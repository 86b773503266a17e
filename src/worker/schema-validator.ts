/** Checks values against a schema with an interpreter: no code is made from it. What a check may cost is bounded. */
import { validate, type OutputUnit } from "@cfworker/json-schema";
import type { FieldError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { schemaCost, type Schema, type SchemaMap, type SchemaObject } from "../core/schema.ts";

/** A schema ready to check by. */
export class Validator {
  readonly #schema: Schema;
  readonly #width: number;
  readonly #patterns: number;

  constructor(schema: Schema) {
    this.#schema = boundUnique(schema, new Map());
    ({ width: this.#width, patterns: this.#patterns } = schemaCost(schema));
  }

  /**
   * What of the value is not as the schema says, by JSON Pointer; empty: nothing. `textLength` is that of its JSON, a
   * bound for how many values it can hold: where those are too many for the schema, they are not looked at.
   */
  violations(value: unknown, textLength: number): readonly FieldError[] {
    if (
      textLength * this.#width > LIMITS.SCHEMA_CHECKS_MAX &&
      countValues(value) * this.#width > LIMITS.SCHEMA_CHECKS_MAX
    )
      return [{ pointer: "", detail: "There are more values here than the hub checks against this schema." }];
    if (textLength * this.#patterns > LIMITS.SCHEMA_PATTERN_CHECKS_MAX)
      return [{ pointer: "", detail: "There is more text here than the hub checks against this schema's patterns." }];
    if (check(value, this.#schema, true).valid) return [];
    return fieldErrors(check(value, this.#schema, false).errors);
  }
}

const bounded = new WeakMap<SchemaObject, Schema>();

export function acceptsValue(schema: Schema, value: unknown): boolean {
  if (typeof schema === "boolean") return schema;
  const ready = bounded.get(schema) ?? boundUnique(schema, new Map());
  bounded.set(schema, ready);
  return check(value, ready, true).valid;
}

/** References have been followed before, so there is nothing to look up. `isBrief`: stops at the first mistake. */
const check = (value: unknown, schema: Schema, isBrief: boolean) =>
  validate(value, schema as Parameters<typeof validate>[1], "2020-12", NO_REFERENCES, isBrief);

const NO_REFERENCES = Object.freeze({});

const countValues = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>((sum, each) => sum + countValues(each), 1)
    : 1;

/**
 * The same schema, but unique items are looked for only in lists of at most `SCHEMA_UNIQUE_ITEMS_MAX`: the library
 * compares each with each, also where a list is too long already. Longer lists are refused.
 */
function boundUnique(schema: Schema, done: Map<SchemaObject, SchemaObject>): Schema {
  if (typeof schema === "boolean") return schema;
  const known = done.get(schema);
  if (known !== undefined) return known;
  const { uniqueItems = false, ...rest } = schema;
  const bounded: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(rest)) {
    if (ONE_SCHEMA.has(keyword)) bounded[keyword] = boundUnique(value as Schema, done);
    else if (SEVERAL_SCHEMAS.has(keyword))
      bounded[keyword] = (value as Schema[]).map((each) => boundUnique(each, done));
    else if (NAMED_SCHEMAS.has(keyword)) bounded[keyword] = boundNamed(value as SchemaMap, done);
    else bounded[keyword] = value;
  }
  if (uniqueItems) bounded["allOf"] = [...((bounded["allOf"] as Schema[] | undefined) ?? []), UNIQUE_WITHIN_BOUNDS];
  done.set(schema, bounded);
  return bounded;
}

function boundNamed(schemas: SchemaMap, done: Map<SchemaObject, SchemaObject>): SchemaMap {
  const bounded = Object.create(null) as Record<string, Schema>;
  for (const [name, each] of Object.entries(schemas)) bounded[name] = boundUnique(each, done);
  return bounded;
}

const UNIQUE_WITHIN_BOUNDS: SchemaObject = {
  if: { type: ["array"] },
  then: {
    if: { maxItems: LIMITS.SCHEMA_UNIQUE_ITEMS_MAX },
    then: { uniqueItems: true },
    else: { maxItems: LIMITS.SCHEMA_UNIQUE_ITEMS_MAX },
  },
};

const ONE_SCHEMA: ReadonlySet<string> = new Set([
  "items",
  "contains",
  "additionalProperties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
  "not",
  "if",
  "then",
  "else",
]);
const SEVERAL_SCHEMAS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const NAMED_SCHEMAS: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas"]);

/** They say that something below them is wrong, which says it itself. */
const CARRIERS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "allOf",
  "dependentSchemas",
  "if",
  "items",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Of these one sentence is said; what each alternative lacks would only confuse. */
const SUMMARIES: ReadonlySet<string> = new Set(["anyOf", "oneOf", "contains", "not"]);

const ERRORS_NAMED_MAX = 20;

/** The library's errors name a place by a URI fragment, and quote values; these name it by pointer and quote none. */
function fieldErrors(errors: readonly OutputUnit[]): readonly FieldError[] {
  const found = new Map<string, FieldError>();
  const summed: string[] = [];
  for (const { keyword, keywordLocation, instanceLocation, error } of errors) {
    if (found.size === ERRORS_NAMED_MAX || summed.some((place) => keywordLocation.startsWith(`${place}/`))) continue;
    if (SUMMARIES.has(keyword)) summed.push(keywordLocation);
    if (CARRIERS.has(keyword)) continue;
    const missing = keyword === "required" ? /property "(.*)"\.$/s.exec(error)?.[1] : undefined;
    const pointer = decodeURIComponent(instanceLocation.slice(1));
    const detail =
      missing === undefined ? sentenceFor(keyword) : `The schema requires ${JSON.stringify(missing)} here.`;
    found.set(`${pointer} ${detail}`, { pointer, detail });
  }
  return [...found.values()];
}

const sentenceFor = (keyword: string): string =>
  keyword === "false" ? "The schema allows nothing here." : `The schema's ${keyword} does not hold here.`;
