/**
 * Whether every value that one schema allows is allowed by another, and if not, where they part. Decided keyword by
 * keyword; what cannot be decided so counts as a difference that is not certain. A schema that leaves its other members
 * open says nothing of them: a value is taken to have only members that its schema names.
 */
import { unreachable } from "./assert.ts";
import { sameJson } from "./json-equal.ts";
import { LIMITS } from "./limits.ts";
import type { Schema, SchemaObject, TypeName } from "./schema.ts";
import { differsAt, type Accepts, type InclusionRules, type SchemaDifference } from "./schema-difference.ts";
import { caseSchemas, flatten } from "./schema-flatten.ts";
import { listDifferences } from "./schema-inclusion-lists.ts";
import { objectDifferences } from "./schema-inclusion-objects.ts";
import { numberDifferences, stringDifferences } from "./schema-inclusion-scalars.ts";

/** What of `narrow` is not allowed by `wide`, at most `SCHEMA_DIFFERENCES_MAX`; empty: all of it is. */
export function inclusionDifferences(narrow: Schema, wide: Schema, accepts: Accepts): readonly SchemaDifference[] {
  return new Inclusion(accepts).compare(narrow, wide, "");
}

/** Pairs looked at: schemas share parts, so that a document of some lines can stand for very many. */
const COMPARISONS_MAX = 50_000;
/** Values that are held against a schema: each value of each `enum` may meet each alternative of a `oneOf`. */
const ACCEPTS_MAX = 50_000;

class Inclusion implements InclusionRules {
  readonly accepts: Accepts;
  /** By both schemas, with pointers that begin with nothing. */
  readonly #known = new Map<Schema, Map<Schema, readonly SchemaDifference[]>>();
  #comparisons = 0;
  #accepts = 0;

  constructor(accepts: Accepts) {
    this.accepts = (schema, value) => {
      this.#accepts += 1;
      return accepts(schema, value);
    };
  }

  get #isTooMuch(): boolean {
    return this.#comparisons > COMPARISONS_MAX || this.#accepts > ACCEPTS_MAX;
  }

  compare(narrow: Schema, wide: Schema, at: string): readonly SchemaDifference[] {
    if (wide === true || narrow === false || narrow === wide) return [];
    let byWide = this.#known.get(narrow);
    if (byWide === undefined) this.#known.set(narrow, (byWide = new Map()));
    let found = byWide.get(wide);
    if (found === undefined) byWide.set(wide, (found = this.#decide(narrow, wide)));
    return found.map((difference) => ({ ...difference, pointer: at + difference.pointer }));
  }

  #decide(given: Schema, asked: Exclude<Schema, true>): readonly SchemaDifference[] {
    this.#comparisons += 1;
    if (this.#isTooMuch) return [{ pointer: "", rule: "size", isCertain: false }];
    const narrow = given === true ? {} : flatten(given as SchemaObject);
    if (asked === false) return [{ pointer: "", rule: "false", isCertain: true }];
    const wide = flatten(asked);
    if (sameJson(narrow, wide)) return [];
    const found = this.#direct(narrow, wide);
    const isWithinPart = narrow.allOf?.some((part) => this.compare(part, wide, "").length === 0) ?? false;
    if (found.length === 0 || isWithinPart) return [];
    const cases = caseSchemas(narrow);
    if (cases === null) return found.slice(0, LIMITS.SCHEMA_DIFFERENCES_MAX);
    const byCase = cases.flatMap((each) => this.compare(each, wide, ""));
    const isShorter = byCase.length < found.length;
    return (isShorter ? byCase : found).slice(0, LIMITS.SCHEMA_DIFFERENCES_MAX);
  }

  /** Looks at `narrow` without what it says by alternatives. */
  #direct(narrow: SchemaObject, wide: SchemaObject): readonly SchemaDifference[] {
    const values = finiteValues(narrow);
    if (values !== null) {
      const isAllowed = values.every((value) => !this.accepts(narrow, value) || this.accepts(wide, value));
      if (isAllowed) return [];
    }
    const types = typesOf(narrow);
    const holds = (...names: readonly TypeName[]): boolean => names.some((name) => types.includes(name));
    const found = [
      ...typeDifferences(types, wide),
      ...valueDifferences(values, wide),
      ...(holds("number", "integer") ? numberDifferences(narrow, wide, types) : []),
      ...(holds("string") ? stringDifferences(narrow, wide) : []),
      ...(holds("array") ? listDifferences(narrow, wide, this) : []),
      ...(holds("object") ? objectDifferences(narrow, wide, this) : []),
      ...this.#combined(narrow, wide),
    ];
    // The values are not all allowed, though no keyword alone says so: the finite set itself is what differs.
    return found.length === 0 && values !== null ? [differsAt("", "enum")] : found;
  }

  #combined(narrow: SchemaObject, wide: SchemaObject): readonly SchemaDifference[] {
    return [
      ...(wide.allOf ?? []).flatMap((each, index) => this.#closest(narrow, each, `/allOf/${index}`)),
      ...(wide.anyOf === undefined ? [] : this.#anyOf(narrow, wide.anyOf, "anyOf")),
      ...(wide.oneOf === undefined ? [] : this.#oneOf(narrow, wide.oneOf)),
      ...(wide.not === undefined ? [] : this.#not(narrow, wide.not)),
      ...(wide.if === undefined ? [] : this.#conditional(narrow, wide)),
    ];
  }

  /** Parts of an `allOf` that could not be merged: the one that comes nearest answers. */
  #closest(narrow: SchemaObject, wide: Schema, at: string): readonly SchemaDifference[] {
    const answers = [narrow, ...(narrow.allOf ?? [])].map((part) => this.compare(part, wide, at));
    return answers.toSorted((left, right) => left.length - right.length)[0]!;
  }

  /** Each case of `narrow` must be allowed by one alternative. */
  #anyOf(narrow: SchemaObject, alternatives: readonly Schema[], rule: string): readonly SchemaDifference[] {
    const cases = caseSchemas(narrow) ?? casesByType(narrow);
    for (const each of cases) {
      const answers = alternatives.map((alternative) => this.compare(each, alternative, ""));
      if (answers.every((answer) => answer.length > 0)) {
        const isCertain = answers.every((answer) => answer.some((part) => part.isCertain && DECISIVE.has(part.rule)));
        return [differsAt("", rule, isCertain)];
      }
    }
    return [];
  }

  /** Alternatives that exclude each other are the same as any of them; of others the hub cannot tell. */
  #oneOf(narrow: SchemaObject, alternatives: readonly Schema[]): readonly SchemaDifference[] {
    if (narrow.oneOf !== undefined && sameJson(narrow.oneOf, alternatives)) return [];
    const exclude = alternatives.every((each, index) =>
      alternatives.slice(index + 1).every((other) => this.#areDisjoint(each, other)),
    );
    return exclude ? this.#anyOf(narrow, alternatives, "oneOf") : [differsAt("", "oneOf", false)];
  }

  #not(narrow: SchemaObject, refused: Schema): readonly SchemaDifference[] {
    const isRefusedToo = narrow.not !== undefined && this.compare(refused, narrow.not, "").length === 0;
    return isRefusedToo || this.#areDisjoint(narrow, refused) ? [] : [differsAt("", "not", false)];
  }

  #conditional(narrow: SchemaObject, wide: SchemaObject): readonly SchemaDifference[] {
    if (sameJson(conditionOf(narrow), conditionOf(wide))) return [];
    const both = [...this.compare(narrow, wide.then ?? true, ""), ...this.compare(narrow, wide.else ?? true, "")];
    return both.length === 0 ? [] : [differsAt("", "if", false)];
  }

  /** True only where no value can be valid under both. */
  #areDisjoint(left: Schema, right: Schema): boolean {
    if (typeof left === "boolean" || typeof right === "boolean") return left === false || right === false;
    if (this.#isTooMuch) return false;
    const [one, other] = [flatten(left), flatten(right)];
    const types = typesOf(other);
    if (typesOf(one).every((type) => !types.some((kind) => meet(type, kind)))) return true;
    const values = finiteValues(one) ?? finiteValues(other);
    if (values !== null && values.every((value) => !this.accepts(one, value) || !this.accepts(other, value)))
      return true;
    const isObject = (schema: SchemaObject): boolean => typesOf(schema).every((type) => type === "object");
    const shared = (one.required ?? []).filter((name) => other.required?.includes(name));
    return (
      isObject(one) &&
      isObject(other) &&
      shared.some((name) => this.#areDisjoint(one.properties?.[name] ?? true, other.properties?.[name] ?? true))
    );
  }
}

const conditionOf = (schema: SchemaObject) => [schema.if, schema.then ?? true, schema.else ?? true];

/** Differences that show a case to be refused by an alternative whatever else is said. */
const DECISIVE: ReadonlySet<string> = new Set(["type", "enum", "const", "false"]);

const EVERY_TYPE: readonly TypeName[] = ["array", "boolean", "null", "number", "object", "string"];

const meet = (left: TypeName, right: TypeName): boolean =>
  left === right || [left, right].every((name) => name === "integer" || name === "number");

export function typesOf(schema: SchemaObject): readonly TypeName[] {
  const values = valuesNamed(schema);
  const isWhole = Number.isInteger(schema.multipleOf);
  const types = (schema.type ?? EVERY_TYPE).map((type) => (type === "number" && isWhole ? "integer" : type));
  if (values === null) return types.includes("number") ? types.filter((type) => type !== "integer") : types;
  return [...new Set(values.map(typeOfValue))].filter((type) => types.some((allowed) => meet(type, allowed)));
}

function typeOfValue(value: unknown): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  switch (type) {
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    case "boolean":
    case "object":
    case "string":
      return type;
    default:
      return unreachable(value as never);
  }
}

const valuesNamed = (schema: SchemaObject): readonly unknown[] | null =>
  "const" in schema ? [schema.const] : (schema.enum ?? null);

/** All values that the schema could allow, where it names them; null: it does not. */
function finiteValues(schema: SchemaObject): readonly unknown[] | null {
  const named = valuesNamed(schema);
  if (named !== null) return named;
  const { type } = schema;
  if (type === undefined || !type.every((name) => name === "boolean" || name === "null")) return null;
  return [...(type.includes("boolean") ? [true, false] : []), ...(type.includes("null") ? [null] : [])];
}

function typeDifferences(types: readonly TypeName[], wide: SchemaObject): readonly SchemaDifference[] {
  const { type: allowed } = wide;
  if (allowed === undefined) return [];
  const isAllowed = (type: TypeName): boolean =>
    allowed.includes(type) || (type === "integer" && allowed.includes("number"));
  return types.every(isAllowed) ? [] : [differsAt("", "type")];
}

function valueDifferences(values: readonly unknown[] | null, wide: SchemaObject): readonly SchemaDifference[] {
  const allowed = valuesNamed(wide);
  if (allowed === null) return [];
  const isAllowed = values?.every((value) => allowed.some((other) => sameJson(value, other))) ?? false;
  return isAllowed ? [] : [differsAt("", "const" in wide ? "const" : "enum")];
}

/** One schema for each type that it names. */
const casesByType = (schema: SchemaObject): readonly SchemaObject[] =>
  schema.type === undefined || schema.type.length < 2
    ? [schema]
    : schema.type.map((type) => ({ ...schema, type: [type] }));
