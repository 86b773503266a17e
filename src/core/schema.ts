import { patternCost } from "./schema-pattern.ts";

/**
 * A JSON Schema (2020-12) as the hub works with it: only what validates, with each `$ref` replaced by what it refers
 * to, so that one object may stand in several places. It never contains itself.
 */
export type Schema = boolean | SchemaObject;

export type TypeName = "array" | "boolean" | "integer" | "null" | "number" | "object" | "string";

export interface SchemaObject {
  readonly type?: readonly TypeName[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;

  readonly multipleOf?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;

  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Only formats that are asserted. */
  readonly format?: string;

  readonly prefixItems?: readonly Schema[];
  readonly items?: Schema;
  readonly contains?: Schema;
  readonly minContains?: number;
  readonly maxContains?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly unevaluatedItems?: Schema;

  readonly properties?: SchemaMap;
  readonly patternProperties?: SchemaMap;
  readonly additionalProperties?: Schema;
  readonly propertyNames?: Schema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
  readonly dependentSchemas?: SchemaMap;
  readonly unevaluatedProperties?: Schema;

  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
}

/** Without a prototype, so that no name means anything but itself. */
export type SchemaMap = Readonly<Record<string, Schema>>;

/** The schemas that look at the same value, those at one member or item of it that exclude each other, and the rest. */
export interface Subschemas {
  readonly inPlace: readonly Schema[];
  /** Of these one at most looks at any one member or item. */
  readonly exclusive: readonly Schema[];
  /** Each of these may look at it as well. */
  readonly besides: readonly Schema[];
}

export function subschemasOf(schema: SchemaObject): Subschemas {
  return {
    inPlace: [
      ...(schema.allOf ?? []),
      ...(schema.anyOf ?? []),
      ...(schema.oneOf ?? []),
      ...Object.values(schema.dependentSchemas ?? {}),
      ...given([schema.not, schema.if, schema.then, schema.else]),
    ],
    exclusive: [
      ...Object.values(schema.properties ?? {}),
      ...(schema.prefixItems ?? []),
      ...given([schema.items, schema.additionalProperties]),
    ],
    besides: [
      ...Object.values(schema.patternProperties ?? {}),
      ...given([schema.contains, schema.propertyNames, schema.unevaluatedItems, schema.unevaluatedProperties]),
    ],
  };
}

const given = (schemas: readonly (Schema | undefined)[]): readonly Schema[] =>
  schemas.filter((each): each is Schema => each !== undefined);

/** What a check may cost: how many schemas look at any one value at most, and how deeply they stand in each other. */
export interface SchemaCost {
  readonly width: number;
  /** Likewise what their patterns look at one character. */
  readonly patterns: number;
  readonly depth: number;
  /** Schemas in it, those that are referred to counted each time. */
  readonly size: number;
}

const NAMES_A_CHECK = 20; // So many names, or values of an enum, take about as long as one schema more.

export function schemaCost(schema: Schema, known = new Map<SchemaObject, SchemaCost>()): SchemaCost {
  if (typeof schema === "boolean") return { width: 1, patterns: 0, depth: 1, size: 1 };
  const before = known.get(schema);
  if (before !== undefined) return before;
  const { inPlace, exclusive, besides } = subschemasOf(schema);
  const costsOf = (schemas: readonly Schema[]): SchemaCost[] => schemas.map((each) => schemaCost(each, known));
  const [here, one, others] = [costsOf(inPlace), costsOf(exclusive), costsOf(besides)];
  /** Of what one value may meet. */
  const most = (of: "width" | "patterns", own: number): number => {
    const sum = (costs: readonly SchemaCost[]): number => costs.reduce((total, cost) => total + cost[of], 0);
    const widest = one.reduce((widestYet, cost) => Math.max(widestYet, cost[of]), 0);
    return Math.max(own, widest + sum(others)) + sum(here);
  };
  const all = [...here, ...one, ...others];
  const deepest = all.reduce((deepestYet, { depth }) => Math.max(deepestYet, depth), 0);
  const cost: SchemaCost = {
    width: most("width", 1 + Math.floor(namesOf(schema) / NAMES_A_CHECK)),
    patterns: most("patterns", patternsOf(schema)),
    depth: deepest + 1,
    size: 1 + all.reduce((total, { size }) => total + size, 0),
  };
  known.set(schema, cost);
  return cost;
}

const patternsOf = ({ pattern, patternProperties = {} }: SchemaObject): number =>
  [...(pattern === undefined ? [] : [pattern]), ...Object.keys(patternProperties)].reduce(
    (total, source) => total + patternCost(source),
    0,
  );

const namesOf = ({ properties = {}, required = [], dependentRequired = {}, enum: values = [] }: SchemaObject): number =>
  Object.keys(properties).length +
  required.length +
  values.length +
  Object.values(dependentRequired).reduce((sum, names) => sum + 1 + names.length, 0);
