/** Contracts of event types, and what there is in an app. */
import { LIMITS } from "../../core/limits.ts";
import { COMPATIBILITIES } from "../../core/schema-compatibility.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  FLAG,
  listOf,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const COMPATIBILITY = oneOfTexts(...COMPATIBILITIES);
const JSON_SCHEMA = { type: ["object", "boolean"], description: "JSON Schema 2020-12." };
const PATH = text({ pattern: "^/" });
const step = (op: string, members: Record<string, object>) => taken({ op: { const: op }, ...members });

export const SCHEMA_SHAPES = {
  Upcast: listOf(
    {
      anyOf: [
        step("rename", { path: PATH, to: text() }),
        step("move", { from: PATH, path: PATH }),
        step("default", { path: PATH, value: ANYTHING }),
        step("drop", { path: PATH }),
        step("wrap", { path: PATH, in: text() }),
      ],
    },
    { maxItems: LIMITS.UPCAST_STEPS_MAX, description: "How events of the version before become events of this one." },
  ),
  SchemaDefinition: taken(
    { schema: JSON_SCHEMA },
    { compatibility: COMPATIBILITY, owner: shortText(100), upcast: named("Upcast") },
    { examples: [{ schema: { type: "object", properties: { total: { type: "number" } } }, compatibility: "full" }] },
  ),
  SchemaFacts: shown({
    type: text(),
    version: whole(1),
    compatibility: COMPATIBILITY,
    owner: orNull(text()),
    dataschema: text(),
    createdAt: TIME,
  }),
  Schema: {
    allOf: [named("SchemaFacts"), shown({ upcast: orNull(named("Upcast")), schema: JSON_SCHEMA })],
  },
  SchemaComparison: shown({
    compatible: FLAG,
    compatibility: COMPATIBILITY,
    differences: listOf(
      shown({
        pointer: text(),
        rule: text(),
        breaks: oneOfTexts("readers", "writers"),
        version: whole(1),
        certain: FLAG,
      }),
      { maxItems: LIMITS.SCHEMA_DIFFERENCES_MAX },
    ),
  }),
} as const;

const READ = "history, subscribe or manage on `$schemas.` and the type";
const SCHEMA = { "application/json": named("Schema") };

export const SCHEMAS: RouteGroup = {
  name: "Schemas",
  says: "Contracts of event types: registered version by version, each held to those before it.",
  routes: [
    {
      route: "GET /v1/schemas",
      id: "listSchemas",
      summary: "List the newest version of each type's schema",
      scope: READ,
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By type.", content: { "application/json": pageOf(named("SchemaFacts")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/schemas/:type",
      id: "getSchema",
      summary: "Read the newest version of a type's schema",
      scope: READ,
      answers: [{ status: 200, says: "The schema as it was sent.", content: SCHEMA }],
      problems: ["schema_not_found"],
    },
    {
      route: "PUT /v1/schemas/:type",
      id: "putSchema",
      summary: "Register the next version of a type's schema",
      details: "The newest version again changes at most its compatibility and owner.",
      scope: "manage on `$schemas.` and the type",
      body: { "application/json": named("SchemaDefinition") },
      isRepeatable: true,
      answers: [
        { status: 200, says: "That version was the newest already.", content: SCHEMA },
        { status: 201, says: "Registered.", content: SCHEMA },
      ],
      problems: ["schema_incompatible", "schema_invalid"],
    },
    {
      route: "POST /v1/schemas/:type/check",
      id: "checkSchema",
      summary: "Ask what a PUT would say, and change nothing",
      scope: READ,
      body: { "application/json": named("SchemaDefinition") },
      isRepeatable: true,
      answers: [{ status: 200, says: "The differences.", content: { "application/json": named("SchemaComparison") } }],
      problems: ["schema_invalid"],
    },
    {
      route: "GET /v1/schemas/:type/versions",
      id: "listSchemaVersions",
      summary: "List the versions of a type's schema",
      scope: READ,
      answers: [{ status: 200, says: "In order.", content: { "application/json": pageOf(named("SchemaFacts")) } }],
      problems: ["schema_not_found"],
    },
    {
      route: "GET /v1/schemas/:type/versions/:version",
      id: "getSchemaVersion",
      summary: "Read one version of a type's schema",
      scope: READ,
      answers: [{ status: 200, says: "The schema as it was sent.", content: SCHEMA }],
      problems: ["schema_not_found"],
    },
  ],
};
