/** Other forms of a schema that allow the same values, so that what is said in two ways can be compared. */
import type { Schema, SchemaMap, SchemaObject, TypeName } from "./schema.ts";

/**
 * Without its `allOf`, as far as the parts can be written into one. What cannot stays in `allOf`: parts that say
 * something of all the members that the same part does not name, and parts that say one thing twice.
 */
export function flatten(schema: SchemaObject): SchemaObject {
  const { allOf, ...own } = schema;
  if (allOf === undefined) return schema;
  let merged: SchemaObject = own;
  const kept: Schema[] = [];
  for (const part of allOf) {
    if (part === true) continue;
    const next = part === false ? null : merge(merged, flatten(part));
    if (next === null) kept.push(part);
    else merged = next;
  }
  if (kept.length === 0) return merged;
  return { ...merged, allOf: [...kept, ...(merged.allOf ?? [])] };
}

/** One schema for each alternative of its `anyOf` or `oneOf`; together they allow what it allows. Null: it has none. */
export function caseSchemas(schema: SchemaObject): readonly SchemaObject[] | null {
  const { anyOf, ...withoutAny } = schema;
  if (anyOf !== undefined) return alternativesOf(withoutAny, anyOf);
  const { oneOf, ...withoutOne } = schema;
  return oneOf === undefined ? null : alternativesOf(withoutOne, oneOf);
}

const alternativesOf = (rest: SchemaObject, alternatives: readonly Schema[]): readonly SchemaObject[] =>
  alternatives
    .filter((each) => each !== false)
    .map((each) => flatten({ ...rest, allOf: [...(rest.allOf ?? []), each] }));

type Mutable = { -readonly [Keyword in keyof SchemaObject]: SchemaObject[Keyword] };

/** Keywords whose meaning hangs on what stands beside them. */
const ABOUT_THE_REST = [
  "additionalProperties",
  "patternProperties",
  "unevaluatedProperties",
  "items",
  "prefixItems",
  "unevaluatedItems",
] as const;

const LOWER_BOUNDS: ReadonlySet<string> = new Set([
  "minimum",
  "exclusiveMinimum",
  "minLength",
  "minItems",
  "minProperties",
]);
const UPPER_BOUNDS: ReadonlySet<string> = new Set([
  "maximum",
  "exclusiveMaximum",
  "maxLength",
  "maxItems",
  "maxProperties",
]);

const saysTheRest = (schema: SchemaObject): boolean => ABOUT_THE_REST.some((keyword) => keyword in schema);

const saysMembers = (schema: SchemaObject): boolean => "properties" in schema || saysTheRest(schema);

/** Null where the two cannot be said as one. */
function merge(left: SchemaObject, right: SchemaObject): SchemaObject | null {
  if ((saysTheRest(left) && saysMembers(right)) || (saysTheRest(right) && saysMembers(left))) return null;
  const merged: Mutable = { ...left };
  for (const [keyword, value] of Object.entries(right) as [keyof SchemaObject, never][]) {
    if (!(keyword in merged)) merged[keyword] = value;
    else if (keyword === "type") merged.type = bothTypes(left.type!, right.type!);
    else if (keyword === "required") merged.required = [...new Set([...left.required!, ...right.required!])];
    else if (keyword === "properties") merged.properties = bothProperties(left, right);
    else if (LOWER_BOUNDS.has(keyword)) merged[keyword] = Math.max(left[keyword] as number, value) as never;
    else if (UPPER_BOUNDS.has(keyword)) merged[keyword] = Math.min(left[keyword] as number, value) as never;
    else if (keyword === "allOf") merged.allOf = [...left.allOf!, ...right.allOf!];
    else if (keyword === "uniqueItems") merged.uniqueItems = left.uniqueItems === true || right.uniqueItems === true;
    else return null;
  }
  // `if`, `then` and `else` of two parts must not meet; nor does `contains` with another's counts.
  const groups = [["if", "then", "else"] as const, ["contains", "minContains", "maxContains"] as const];
  const isTorn = groups.some((group) => [left, right].every((part) => group.some((keyword) => keyword in part)));
  return isTorn ? null : merged;
}

const isWithin = (type: TypeName, types: readonly TypeName[]): boolean =>
  types.includes(type) || (type === "integer" && types.includes("number"));

function bothTypes(left: readonly TypeName[], right: readonly TypeName[]): readonly TypeName[] {
  return [
    ...new Set([...left.filter((type) => isWithin(type, right)), ...right.filter((type) => isWithin(type, left))]),
  ];
}

function bothProperties(left: SchemaObject, right: SchemaObject): SchemaMap {
  const both = Object.assign(Object.create(null) as Record<string, Schema>, left.properties);
  for (const [name, schema] of Object.entries(right.properties!)) {
    const other = both[name];
    both[name] = other === undefined ? schema : flatten({ allOf: [other, schema] });
  }
  return both;
}
