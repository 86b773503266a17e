/**
 * Reads a JSON Schema (2020-12) as it was sent into what the hub works with. Unknown keywords are annotations; what the
 * hub does not check, or what could make a check endless, is refused by name rather than passed over.
 */
import type { FieldError } from "./errors.ts";
import { escapePointer } from "./json-pointer.ts";
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";
import { schemaCost, type Schema, type SchemaMap, type TypeName } from "./schema.ts";
import { patternProblem } from "./schema-pattern.ts";

/** `value`: parsed JSON. Fails with `schema_invalid` and every mistake by its pointer, which begins with `root`. */
export function readSchema(value: unknown, root: string): Result<Schema> {
  const reader = new SchemaReader(value, root);
  const schema = reader.read(value, root);
  const refuse = (detail: string): Result<never> => refuseAll([{ pointer: root, detail }]);
  if (reader.errors.length > 0) return refuseAll(reader.errors);
  const { width, depth, size } = schemaCost(schema);
  if (depth > LIMITS.SCHEMA_DEPTH_MAX)
    return refuse(`With its references followed it is deeper than ${LIMITS.SCHEMA_DEPTH_MAX} levels.`);
  if (size > LIMITS.SCHEMA_SIZE_MAX)
    return refuse(`With its references followed it holds more than ${LIMITS.SCHEMA_SIZE_MAX} schemas.`);
  if (width > LIMITS.SCHEMA_WIDTH_MAX)
    return refuse(`More than ${LIMITS.SCHEMA_WIDTH_MAX} schemas would look at one value.`);
  return ok(schema);
}

const refuseAll = (errors: readonly FieldError[]): Result<never> =>
  fail("schema_invalid", errors[0]!.detail, { errors: errors.slice(0, ERRORS_NAMED_MAX) });

const ERRORS_NAMED_MAX = 20;

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** Formats that are checked; any other is an annotation. */
const FORMATS: ReadonlySet<string> = new Set([
  "date",
  "date-time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "json-pointer",
  "time",
  "uri",
  "uri-reference",
  "uuid",
]);

const TYPES: ReadonlySet<unknown> = new Set<TypeName>([
  "array",
  "boolean",
  "integer",
  "null",
  "number",
  "object",
  "string",
]);

/** They refer beyond the document or to what only the check itself can tell, or belong to older dialects. */
const NOT_OFFERED: ReadonlySet<string> = new Set([
  "$anchor",
  "$dynamicAnchor",
  "$dynamicRef",
  "$recursiveAnchor",
  "$recursiveRef",
  "$vocabulary",
  "additionalItems",
  "dependencies",
]);

type JsonObject = Readonly<Record<string, unknown>>;
type Keyword = (reader: SchemaReader, value: unknown, pointer: string) => unknown;

class SchemaReader {
  readonly errors: FieldError[] = [];
  readonly #document: unknown;
  readonly #root: string;
  /** Null while it is being read: who meets it then stands within it. */
  readonly #read = new Map<object, Schema | null>();

  constructor(document: unknown, root: string) {
    this.#document = document;
    this.#root = root;
  }

  refuse(pointer: string, detail: string): undefined {
    this.errors.push({ pointer, detail });
    return undefined;
  }

  /** A schema that was refused reads as `true`. */
  read(value: unknown, pointer: string): Schema {
    if (typeof value === "boolean") return value;
    if (!isObject(value)) return this.refuse(pointer, "A schema is an object, true or false.") ?? true;
    const known = this.#read.get(value);
    if (known === null) return this.refuse(pointer, "A schema that contains itself is not offered.") ?? true;
    if (known !== undefined) return known;
    this.#read.set(value, null);
    const schema = this.#readObject(value, pointer);
    this.#read.set(value, schema);
    return schema;
  }

  #readObject(value: JsonObject, pointer: string): Schema {
    const schema: Record<string, unknown> = {};
    for (const [name, given] of Object.entries(value)) {
      const at = `${pointer}/${escapePointer(name)}`;
      if (NOT_OFFERED.has(name)) this.refuse(at, "This keyword is not offered.");
      if (name === "$schema" && given !== DIALECT) this.refuse(at, `The hub reads ${DIALECT}.`);
      if (name === "$id" && pointer !== this.#root) this.refuse(at, "Only the whole document has an $id.");
      const read = KEYWORDS.get(name)?.(this, given, at);
      if (read !== undefined) schema[name] = read;
    }
    const { $ref: reference } = value;
    if (reference === undefined) return schema;
    const target = this.#resolve(reference, `${pointer}/$ref`);
    if (Object.keys(schema).length === 0) return target;
    return { ...schema, allOf: [target, ...((schema["allOf"] as readonly Schema[] | undefined) ?? [])] };
  }

  /** Only `#` and `#/…`: nothing is ever fetched. */
  #resolve(reference: unknown, pointer: string): Schema {
    const path = typeof reference === "string" ? pointerPath(reference) : null;
    if (path === null) return this.refuse(pointer, "A reference is a JSON Pointer into this document: #/…") ?? true;
    let target: unknown = this.#document;
    for (const name of path) {
      const isThere = (isObject(target) || Array.isArray(target)) && Object.hasOwn(target, name);
      if (!isThere) return this.refuse(pointer, "Nothing stands at that place of the document.") ?? true;
      target = (target as JsonObject)[name];
    }
    return this.read(target, [this.#root, ...path.map(escapePointer)].join("/"));
  }
}

/** The names on the way; null for what is no pointer into the same document. */
function pointerPath(reference: string): string[] | null {
  if (reference === "#") return [];
  if (!reference.startsWith("#/")) return null;
  try {
    const names = decodeURIComponent(reference.slice(2)).split("/");
    return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const subschema: Keyword = (reader, value, pointer) => reader.read(value, pointer);

const subschemas: Keyword = (reader, value, pointer) => {
  if (!Array.isArray(value) || value.length === 0) return reader.refuse(pointer, "This is a list of schemas.");
  return value.map((each, index) => reader.read(each, `${pointer}/${index}`));
};

const subschemasByName: Keyword = (reader, value, pointer): SchemaMap | undefined => {
  if (!isObject(value)) return reader.refuse(pointer, "This is an object of schemas.");
  const read = Object.create(null) as Record<string, Schema>;
  for (const [name, each] of Object.entries(value)) read[name] = reader.read(each, `${pointer}/${escapePointer(name)}`);
  return read;
};

const subschemasByPattern: Keyword = (reader, value, pointer) => {
  if (isObject(value)) {
    for (const name of Object.keys(value)) pattern(reader, name, `${pointer}/${escapePointer(name)}`);
  }
  return subschemasByName(reader, value, pointer);
};

const items: Keyword = (reader, value, pointer) =>
  Array.isArray(value)
    ? reader.refuse(pointer, "A list of schemas is called prefixItems.")
    : reader.read(value, pointer);

const types: Keyword = (reader, value, pointer) => {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.length > 0 && names.every((name) => TYPES.has(name))) return [...new Set(names)];
  return reader.refuse(pointer, `This is one or several of: ${[...TYPES].join(", ")}.`);
};

const values: Keyword = (reader, value, pointer) => {
  const fits = Array.isArray(value) && value.length > 0 && value.length <= LIMITS.SCHEMA_ENUM_VALUES_MAX;
  return fits ? value : reader.refuse(pointer, `This is a list of 1 to ${LIMITS.SCHEMA_ENUM_VALUES_MAX} values.`);
};

const number: Keyword = (reader, value, pointer) =>
  typeof value === "number" && Number.isFinite(value) ? value : reader.refuse(pointer, "This is a number.");

const positive: Keyword = (reader, value, pointer) =>
  typeof value === "number" && value > 0 && Number.isFinite(value)
    ? value
    : reader.refuse(pointer, "This is a number above 0.");

const count: Keyword = (reader, value, pointer) =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? value
    : reader.refuse(pointer, "This is a whole number from 0.");

const flag: Keyword = (reader, value, pointer) =>
  typeof value === "boolean" ? value : reader.refuse(pointer, "This is true or false.");

const format: Keyword = (reader, value, pointer) => {
  if (typeof value !== "string") return reader.refuse(pointer, "This is a string.");
  return FORMATS.has(value) ? value : undefined;
};

const pattern: Keyword = (reader, value, pointer) => {
  const problem = typeof value === "string" ? patternProblem(value) : "This is a string.";
  return problem === null ? value : reader.refuse(pointer, problem);
};

const names: Keyword = (reader, value, pointer) => {
  const fits = Array.isArray(value) && value.every((name) => typeof name === "string");
  return fits ? [...new Set(value)] : reader.refuse(pointer, "This is a list of names.");
};

const namesByName: Keyword = (reader, value, pointer) => {
  if (!isObject(value)) return reader.refuse(pointer, "This is an object of lists of names.");
  const read = Object.create(null) as Record<string, unknown>;
  for (const [name, each] of Object.entries(value))
    read[name] = names(reader, each, `${pointer}/${escapePointer(name)}`);
  return read;
};

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ["type", types],
  ["enum", values],
  ["const", (_reader, value) => value],
  ["multipleOf", positive],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((name) => [name, number] as const),
  ...["minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties"].map(
    (name) => [name, count] as const,
  ),
  ["maxProperties", count],
  ["uniqueItems", flag],
  ["pattern", pattern],
  ["format", format],
  ["required", names],
  ["dependentRequired", namesByName],
  ["items", items],
  ...["contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"].map(
    (name) => [name, subschema] as const,
  ),
  ...["not", "if", "then", "else"].map((name) => [name, subschema] as const),
  ...["allOf", "anyOf", "oneOf", "prefixItems"].map((name) => [name, subschemas] as const),
  ...["properties", "dependentSchemas"].map((name) => [name, subschemasByName] as const),
  ["patternProperties", subschemasByPattern],
]);
