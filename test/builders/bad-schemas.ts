/** Bad requests at the door of schemas. `steady.type` has one: an object with an integer `a`. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const JSON_TYPE = { "content-type": "application/json" };

const schema = (definition: unknown, code: ErrorCode = "schema_invalid", type = "new.type"): BadRequest => {
  const body = typeof definition === "string" ? definition : JSON.stringify(definition);
  return bad(`the schema ${body.slice(0, 60)}`, `PUT /v1/schemas/${type}`, code, JSON_TYPE, body);
};

export const BAD_SCHEMAS: readonly BadRequest[] = [
  schema("{", "json_invalid"),
  schema("[]"),
  schema({}),
  schema({ schema: 7 }),
  schema({ schema: {}, compatibility: "mostly" }),
  schema({ schema: {}, compatibility: 7 }),
  schema({ schema: {}, owner: "x".repeat(101) }),
  schema({ schema: {}, unheardOf: MARK }),
  schema('{"schema":{},"schema":true}'),
  schema({ schema: { type: MARK } }),
  schema({ schema: { pattern: "^(a+)+$" } }),
  schema({ schema: { $ref: `https://example.com/${MARK}` } }),
  schema({ schema: { $ref: "#" } }),
  schema({ schema: { $dynamicRef: "#a" } }),
  schema({ schema: { description: "x".repeat(65_536) } }),
  schema({ schema: {} }, "schema_invalid", "a%20type"),
  schema({ schema: {} }, "schema_invalid", "~type"),
  schema({ schema: {} }, "schema_invalid", "t".repeat(201)),
  schema({ schema: {} }, "schema_invalid", "a%07b"),
  schema({ schema: { type: "string" } }, "schema_incompatible", "steady.type"),
  bad("a comparison of nothing", "POST /v1/schemas/steady.type/check", "schema_invalid", JSON_TYPE, "{}"),
  bad("a schema that is not there", "GET /v1/schemas/not.there", "schema_not_found"),
  bad("versions of a schema that is not there", "GET /v1/schemas/not.there/versions", "schema_not_found"),
  ...["0", "2", "1.0", "x", "-1", "99999999999999999999"].map((version) =>
    bad(`the version ${version}`, `GET /v1/schemas/steady.type/versions/${version}`, "schema_not_found"),
  ),
  bad("a catalog of nothing", "GET /v1/catalog?limit=0", "parameter_invalid"),
  bad("a catalog behind an endless type", `GET /v1/catalog?cursor=${"x".repeat(201)}`, "cursor_invalid"),
  bad("a field that is no pointer", "GET /v1/catalog?field=data.total", "parameter_invalid"),
  bad("who minds a type that is not there", `GET /v1/catalog/${MARK}/impact`, "schema_not_found"),
  bad("who minds what is no field", "GET /v1/catalog/steady.type/impact?field=data", "parameter_invalid"),
  bad("a list of no schemas", "GET /v1/schemas?limit=0", "parameter_invalid"),
  bad("a list behind an endless type", `GET /v1/schemas?cursor=${"x".repeat(201)}`, "cursor_invalid"),
];
