/** `PUT /v1/schemas/{type}`, what GET answers for it, and what a comparison says. */
import type { FieldError } from "../../core/errors.ts";
import { minify } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Schema } from "../../core/schema.ts";
import { COMPATIBILITIES, type Compatibility, type Incompatibility } from "../../core/schema-compatibility.ts";
import { readSchema } from "../../core/schema-document.ts";
import { formatSchemaReference } from "../../core/schema-reference.ts";
import { utf8Length } from "../../core/utf8.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { readUpcast } from "./upcast-definition.ts";

export interface SchemaRequest {
  readonly schema: Schema;
  /** As it was sent, without whitespace between its tokens. */
  readonly text: string;
  /** Null: as the version before has it, or `backward`. */
  readonly compatibility: Compatibility | null;
  /** Null: as the version before has it. */
  readonly owner: string | null;
  /** How events of the version before become events of this one, as it was sent; null: it does not say. */
  readonly upcast: string | null;
}

const OWNER_CHARS_MAX = 100;

export function parseSchemaRequest(body: string): Result<SchemaRequest> {
  const raw = parseDefinition(body);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["schema", "compatibility", "owner", "upcast"]);
  const compatibility = reader.choice(given.get("compatibility"), "/compatibility", COMPATIBILITIES, []);
  const owner = reader.text(given.get("owner"), "/owner", OWNER_CHARS_MAX);
  const upcast = given.get("upcast") ?? null;
  if (upcast !== null) readUpcast(reader, upcast, "/upcast");
  const text = given.get("schema");
  if (text === undefined) reader.refuse("/schema", "A schema is needed.");
  const read = reader.finish("schema_invalid", () => minify(text!));
  if (!read.ok) return read;
  const size = utf8Length(read.value);
  if (size > LIMITS.SCHEMA_BYTES_MAX)
    return fail("schema_invalid", "The schema is too large.", { limit: LIMITS.SCHEMA_BYTES_MAX, actual: size });
  const schema = readSchema(JSON.parse(read.value), "/schema");
  if (!schema.ok) return schema;
  return ok({ schema: schema.value, text: read.value, compatibility, owner, upcast: upcast && minify(upcast) });
}

export interface SchemaFacts {
  readonly type: string;
  readonly version: number;
  readonly compatibility: Compatibility;
  readonly owner: string | null;
  readonly createdAt: number;
}

/** Without the schema itself: what lists and the audit log show. */
export const formatSchemaFacts = ({ type, version, compatibility, owner, createdAt }: SchemaFacts) => ({
  type,
  version,
  compatibility,
  owner,
  dataschema: formatSchemaReference({ type, version }),
  createdAt: new Date(createdAt).toISOString(),
});

/** JSON text, because the schema goes out as it came in. */
export const formatSchema = (
  facts: SchemaFacts & { readonly schema: string; readonly upcast: string | null },
): string =>
  `${JSON.stringify(formatSchemaFacts(facts)).slice(0, -1)},"upcast":${facts.upcast},"schema":${facts.schema}}`;

export interface SchemaDifferenceView {
  /** Into the schema that was sent; references are written out. */
  readonly pointer: string;
  /** The keyword that allows less. */
  readonly rule: string;
  readonly breaks: "readers" | "writers";
  /** The version that it would break with. */
  readonly version: number;
  /** False: the hub cannot tell, and takes the safe side. */
  readonly certain: boolean;
}

export const formatDifference = ({ isCertain, ...difference }: Incompatibility): SchemaDifferenceView => ({
  ...difference,
  pointer: `/schema${difference.pointer}`,
  certain: isCertain,
});

/** The same as the errors of a problem. */
export function differenceError({ pointer, rule, breaks, version, isCertain }: Incompatibility): FieldError {
  const whom = breaks === "writers" ? `events as version ${version} has them` : `readers by version ${version}`;
  const detail = isCertain
    ? `By "${rule}" this breaks ${whom}.`
    : `The hub cannot tell whether "${rule}" breaks ${whom}.`;
  return { pointer: `/schema${pointer}`, detail };
}
