/** Objects that one schema allows and another does not. */
import { sameJson } from "./json-equal.ts";
import { escapePointer } from "./json-pointer.ts";
import { differsAt, type InclusionRules, type SchemaDifference } from "./schema-difference.ts";
import type { Schema, SchemaObject } from "./schema.ts";

export function objectDifferences(
  narrow: SchemaObject,
  wide: SchemaObject,
  rules: InclusionRules,
): readonly SchemaDifference[] {
  return [
    ...requiredDifferences(narrow, wide),
    ...memberDifferences(narrow, wide, rules),
    ...otherMemberDifferences(narrow, wide, rules),
    ...nameDifferences(narrow, wide, rules),
    ...countDifferences(narrow, wide),
    ...dependencyDifferences(narrow, wide),
    ...(wide.unevaluatedProperties === undefined || wide.unevaluatedProperties === true
      ? []
      : [differsAt("", "unevaluatedProperties", false)]),
  ];
}

const memberPointer = (name: string): string => `/properties/${escapePointer(name)}`;

function requiredDifferences(narrow: SchemaObject, wide: SchemaObject): SchemaDifference[] {
  const missing = (wide.required ?? []).filter((name) => narrow.required?.includes(name) !== true);
  return missing.map((name) => ({ pointer: memberPointer(name), rule: "required", isCertain: true }));
}

/** Members by name. What `narrow` does not name, and leaves open, is nobody's: it is taken not to be there. */
function memberDifferences(narrow: SchemaObject, wide: SchemaObject, rules: InclusionRules): SchemaDifference[] {
  const names = new Set([...Object.keys(narrow.properties ?? {}), ...Object.keys(wide.properties ?? {})]);
  return [...names].flatMap((name) => {
    const [given, asked] = [memberSchema(narrow, name), memberSchema(wide, name)];
    if (given === null || given === false || asked === null) return [];
    if (asked === false) return [{ pointer: memberPointer(name), rule: "properties", isCertain: true }];
    return rules.compare(given, asked, memberPointer(name));
  });
}

/** What holds for a member of that name; null: nothing does. */
function memberSchema(schema: SchemaObject, name: string): Schema | null {
  const { properties = {}, patternProperties = {}, additionalProperties = true } = schema;
  const named = Object.hasOwn(properties, name) ? [properties[name]!] : [];
  const matching = Object.entries(patternProperties).filter(([pattern]) => new RegExp(pattern, "u").test(name));
  const holding = [...named, ...matching.map(([, held]) => held)];
  if (holding.length === 0) return additionalProperties === true ? null : additionalProperties;
  return holding.length === 1 ? holding[0]! : { allOf: holding };
}

/** Members that neither names. */
function otherMemberDifferences(narrow: SchemaObject, wide: SchemaObject, rules: InclusionRules): SchemaDifference[] {
  const { additionalProperties: rest = true, patternProperties: patterns = {} } = narrow;
  const { additionalProperties: wideRest = true, patternProperties: widePatterns = {} } = wide;
  const found = [...rules.compare(rest, wideRest, "/additionalProperties")];
  for (const [pattern, held] of Object.entries(patterns)) {
    const asked = Object.hasOwn(widePatterns, pattern) ? widePatterns[pattern]! : wideRest;
    found.push(...rules.compare(held, asked, `/patternProperties/${escapePointer(pattern)}`));
  }
  // A pattern of `wide` alone could hold for members that `narrow` allows by another, or by no name at all.
  const namesOthers = Object.keys(patterns).length > 0 || (rest !== true && rest !== false);
  for (const [pattern, asked] of Object.entries(widePatterns)) {
    if (asked === true || Object.hasOwn(patterns, pattern) || !namesOthers) continue;
    found.push(differsAt("/patternProperties", escapePointer(pattern), false));
  }
  return found.map((difference) =>
    difference.pointer === "/additionalProperties" ? { ...difference, rule: "additionalProperties" } : difference,
  );
}

function nameDifferences(narrow: SchemaObject, wide: SchemaObject, rules: InclusionRules): SchemaDifference[] {
  const { propertyNames } = wide;
  if (propertyNames === undefined || propertyNames === true) return [];
  if (narrow.propertyNames !== undefined && rules.compare(narrow.propertyNames, propertyNames, "").length === 0)
    return [];
  const isClosed = narrow.additionalProperties === false && narrow.patternProperties === undefined;
  const names = Object.keys(narrow.properties ?? {});
  if (isClosed && names.every((name) => rules.accepts(propertyNames, name))) return [];
  return [differsAt("", "propertyNames", narrow.propertyNames === undefined)];
}

function countDifferences(narrow: SchemaObject, wide: SchemaObject): SchemaDifference[] {
  const least = Math.max(narrow.minProperties ?? 0, narrow.required?.length ?? 0);
  const isClosed = narrow.additionalProperties === false && narrow.patternProperties === undefined;
  const named = isClosed ? Object.keys(narrow.properties ?? {}).length : Infinity;
  const most = Math.min(narrow.maxProperties ?? Infinity, named);
  return [
    ...(least < (wide.minProperties ?? 0) ? [differsAt("", "minProperties")] : []),
    ...(most > (wide.maxProperties ?? Infinity) ? [differsAt("", "maxProperties")] : []),
  ];
}

function dependencyDifferences(narrow: SchemaObject, wide: SchemaObject): SchemaDifference[] {
  const found: SchemaDifference[] = [];
  const required = narrow.required ?? [];
  for (const [name, needed] of Object.entries(wide.dependentRequired ?? {})) {
    const held = new Set([...required, ...(narrow.dependentRequired?.[name] ?? [])]);
    const isNever = memberSchema(narrow, name) === false;
    if (!isNever && !needed.every((other) => held.has(other)))
      found.push(differsAt("/dependentRequired", escapePointer(name)));
  }
  for (const [name, asked] of Object.entries(wide.dependentSchemas ?? {})) {
    if (!sameJson(asked, narrow.dependentSchemas?.[name] ?? true))
      found.push(differsAt("/dependentSchemas", escapePointer(name), false));
  }
  return found.map((difference) => ({ ...difference, rule: difference.pointer.split("/")[1]! }));
}
