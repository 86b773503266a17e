/**
 * A registered JSON Schema (2020-12) in AsyncAPI's own dialect, which is draft 7. References are written out, since
 * they would point into another document here; what draft 7 has no word for is left out, so what comes out allows as
 * much as what went in, or more.
 */
type JsonObject = Readonly<Record<string, unknown>>;
type Member = readonly [name: string, value: unknown];

/** With its references written out it may be far longer than it was. */
const CHARS_MAX = 256 * 1_024;

/**
 * `document`: one that the hub has registered, so its references lead somewhere and never in a circle. Longer than
 * `CHARS_MAX` it is `true`: anything.
 */
export function plainSchema(document: unknown): unknown {
  const plainer = new Plainer(document);
  const plain = plainer.schema(document);
  return plainer.charsLeft < 0 ? true : plain;
}

/** A reader of the document would follow these wherever they lead. */
export function holdsReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsReference);
  if (!isObject(value)) return false;
  return Object.hasOwn(value, "$ref") || Object.values(value).some(holdsReference);
}

class Plainer {
  charsLeft = CHARS_MAX;
  readonly #document: unknown;

  constructor(document: unknown) {
    this.#document = document;
  }

  schema(schema: unknown): unknown {
    if (!isObject(schema) || this.charsLeft < 0) return schema;
    const plain: JsonObject = Object.fromEntries(
      Object.entries(schema).flatMap(([name, value]) => this.#member(name, value, schema)),
    );
    const { $ref: reference } = schema;
    if (typeof reference !== "string") return plain;
    const target = this.schema(this.#resolve(reference));
    if (Object.keys(plain).length === 0) return target;
    return { ...plain, allOf: [target, ...((plain["allOf"] as readonly unknown[] | undefined) ?? [])] };
  }

  #member(name: string, value: unknown, whole: JsonObject): Member[] {
    if (KEPT.has(name)) return this.#spend(name, value);
    if (TEXTS.has(name)) return typeof value === "string" ? this.#spend(name, value) : [];
    if (VALUES.has(name)) return holdsReference(value) ? [] : this.#spend(name, value);
    if (SCHEMAS.has(name)) return [[name, this.schema(value)]];
    if (LISTS.has(name)) return [[name, this.#list(value)]];
    if (MAPS.has(name)) return [[name, this.#map(value)]];
    switch (name) {
      case "prefixItems":
        return [["items", this.#list(value)]];
      case "items":
        return [[Object.hasOwn(whole, "prefixItems") ? "additionalItems" : "items", this.schema(value)]];
      case "contains":
        return whole["minContains"] === 0 ? [] : [[name, this.schema(value)]];
      case "dependentSchemas":
        return [["dependencies", this.#map(value)]];
      default:
        return [];
    }
  }

  #spend(name: string, value: unknown): Member[] {
    this.charsLeft -= name.length + JSON.stringify(value).length;
    return [[name, value]];
  }

  #list(value: unknown): unknown[] {
    return (value as readonly unknown[]).map((each) => this.schema(each));
  }

  #map(value: unknown): object {
    return Object.fromEntries(
      Object.entries(value as JsonObject).map(([name, each]) => {
        this.charsLeft -= name.length;
        return [name, this.schema(each)];
      }),
    );
  }

  #resolve(reference: string): unknown {
    const names = reference === "#" ? [] : decodeURIComponent(reference.slice(2)).split("/");
    return names
      .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce<unknown>((target, name) => (target as JsonObject)[name], this.#document);
  }
}

/** They mean the same in both dialects. */
const KEPT: ReadonlySet<string> = new Set([
  "type",
  "multipleOf",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "uniqueItems",
  "required",
  "minProperties",
  "maxProperties",
]);
const TEXTS: ReadonlySet<string> = new Set(["title", "description", "format"]);
const VALUES: ReadonlySet<string> = new Set(["enum", "const"]);
const SCHEMAS: ReadonlySet<string> = new Set(["additionalProperties", "propertyNames", "not", "if", "then", "else"]);
const LISTS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf"]);
const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties"]);

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
