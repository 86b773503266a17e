/** Contracts of event types: registered version by version, each held to those before it. They stay for good. */
import { Hono } from "hono";
import type { AuditAction, AuditEntry } from "../../core/audit.ts";
import { attributeProblem } from "../../core/event-attributes.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSchemaType } from "../../core/names.ts";
import { mayManageSchema, mayReadSchema } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { incompatibilities, type Compatibility, type Incompatibility } from "../../core/schema-compatibility.ts";
import { readSchema } from "../../core/schema-document.ts";
import { inclusionDifferences } from "../../core/schema-inclusion.ts";
import type { Schema } from "../../core/schema.ts";
import { sameJson } from "../../core/json-equal.ts";
import { SchemasStore, type SchemaFacts, type SchemaRecord } from "../../store/schemas-store.ts";
import {
  differenceError,
  formatDifference,
  formatSchema,
  formatSchemaFacts,
  parseSchemaRequest,
  type SchemaRequest,
} from "../../wire/native/schema-definition.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, jsonText, problem } from "../respond.ts";
import { forgetNewestVersions } from "../schema-directory.ts";
import { acceptsValue } from "../schema-validator.ts";
import { listVisible } from "../visible-list.ts";

export const schemaRoutes = new Hono<HubBindings>()
  .get("/schemas", listSchemas)
  .get("/schemas/:type", getNewest)
  .put("/schemas/:type", jsonBody, idempotency, putSchema)
  .post("/schemas/:type/check", jsonBody, idempotency, checkSchema)
  .get("/schemas/:type/versions", listVersions)
  .get("/schemas/:type/versions/:version", getVersion);

async function listSchemas(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const page = await listVisible<SchemaFacts>(c, {
    nameOf: ({ type }) => type,
    isVisible: ({ type }) => mayReadSchema(principal, type),
    read: (after, limit) => new SchemasStore(c.env.DB).list(principal.app, after, limit),
  });
  if (!page.ok) return problem(page.failure);
  return json({ items: page.value.items.map(formatSchemaFacts), cursor: page.value.cursor });
}

async function getNewest(c: HubContext): Promise<Response> {
  return answerSchema(c, (store, app, type) => store.newest(app, type));
}

async function getVersion(c: HubContext): Promise<Response> {
  const text = c.req.param("version")!;
  const version = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  return answerSchema(c, (store, app, type) => store.find(app, type, version));
}

async function answerSchema(
  c: HubContext,
  find: (store: SchemasStore, app: string, type: string) => Promise<SchemaRecord | null>,
): Promise<Response> {
  const type = c.req.param("type")!;
  if (!mayReadSchema(c.var.principal, type)) return problem({ code: "scope_missing" });
  const found = await find(new SchemasStore(c.env.DB), c.var.principal.app, type);
  return found === null ? problem({ code: "schema_not_found" }) : jsonText(formatSchema(found));
}

async function listVersions(c: HubContext): Promise<Response> {
  const type = c.req.param("type")!;
  if (!mayReadSchema(c.var.principal, type)) return problem({ code: "scope_missing" });
  const versions = await new SchemasStore(c.env.DB).versionFacts(c.var.principal.app, type);
  if (versions.length === 0) return problem({ code: "schema_not_found" });
  return json({ items: versions.map(formatSchemaFacts), cursor: null });
}

/** What a PUT of the same body would say, and nothing is changed. */
async function checkSchema(c: HubContext): Promise<Response> {
  const type = c.req.param("type")!;
  if (!mayReadSchema(c.var.principal, type)) return problem({ code: "scope_missing" });
  const request = readRequest(c, type);
  if (!request.ok) return problem(request.failure);
  const history = await new SchemasStore(c.env.DB).versions(c.var.principal.app, type);
  const compatibility = compatibilityOf(request.value, history);
  const found = compareWith(history, request.value, compatibility);
  return json({ compatible: found.length === 0, compatibility, differences: found.map(formatDifference) });
}

async function putSchema(c: HubContext): Promise<Response> {
  const type = c.req.param("type")!;
  if (!mayManageSchema(c.var.principal, type)) return problem({ code: "scope_missing" });
  const request = readRequest(c, type);
  if (!request.ok) return problem(request.failure);
  const put = await register(c, type, request.value);
  if (!put.ok) return problem(put.failure);
  forgetNewestVersions(c.var.principal.app);
  return jsonText(formatSchema(put.value.schema), put.value.added ? 201 : 200);
}

function readRequest(c: HubContext, type: string): Result<SchemaRequest> {
  const wrong = attributeProblem("type", type);
  if (wrong !== null) return fail("schema_invalid", wrong);
  if (!isSchemaType(type)) return fail("schema_invalid", "The type has 1 to 200 characters without blanks.");
  return parseSchemaRequest(c.var.body === "" ? "{}" : c.var.body);
}

const compatibilityOf = ({ compatibility }: SchemaRequest, history: readonly SchemaRecord[]): Compatibility =>
  compatibility ?? history.at(-1)?.compatibility ?? "backward";

/** Another request in between makes it look again, so that each version was held to all that stand before it. */
async function register(
  c: HubContext,
  type: string,
  request: SchemaRequest,
): Promise<Result<{ schema: SchemaRecord; added: boolean }>> {
  const store = new SchemasStore(c.env.DB);
  const { app } = c.var.principal;
  for (;;) {
    const history = await store.versions(app, type);
    const newest = history.at(-1) ?? null;
    const compatibility = compatibilityOf(request, history);
    const owner = request.owner ?? newest?.owner ?? null;
    if (newest !== null && isSameText(newest.schema, request.text)) {
      if (request.upcast !== null && !isSameText(request.upcast, newest.upcast ?? "null"))
        return refuseUpcast("The upcast of a version is fixed.");
      const changed = { ...newest, compatibility, owner };
      if (sameJson(newest, changed)) return ok({ schema: newest, added: false });
      const entry = entryOf(c, "schema.changed", newest, changed);
      if (await store.replace(newest, changed, entry)) return ok({ schema: changed, added: false });
      continue;
    }
    const broken = compareWith(history, request, compatibility);
    if (broken.length > 0) return refuseIncompatible(broken);
    if (history.length >= LIMITS.SCHEMA_VERSIONS_MAX) return refuseMore("versions", LIMITS.SCHEMA_VERSIONS_MAX);
    const upcast = upcastOf(request, newest);
    if (!upcast.ok) return upcast;
    const version = (newest?.version ?? 0) + 1;
    const facts = { app, type, version, compatibility, owner, createdAt: Date.now() };
    const schema = { ...facts, schema: request.text, upcast: upcast.value };
    const entry = entryOf(c, "schema.registered", newest, schema);
    if (await store.insert(schema, LIMITS.APP_SCHEMAS_MAX, entry)) return ok({ schema, added: true });
    if (version > 1 || (await store.newest(app, type)) !== null) continue;
    return refuseMore("schemas", LIMITS.APP_SCHEMAS_MAX);
  }
}

const isSameText = (left: string, right: string): boolean => sameJson(JSON.parse(left), JSON.parse(right));

/** Events that the new version allows as they are need no steps. */
function upcastOf({ upcast, schema }: SchemaRequest, newest: SchemaRecord | null): Result<string | null> {
  if (newest === null && upcast !== null) return refuseUpcast("There is no version before this one.");
  if (newest === null || upcast !== null) return ok(upcast ?? AS_THEY_ARE);
  return ok(inclusionDifferences(schemaOf(newest), schema, acceptsValue).length === 0 ? AS_THEY_ARE : null);
}

const AS_THEY_ARE = "[]";

const refuseUpcast = (detail: string): Result<never> =>
  fail("schema_invalid", detail, { errors: [{ pointer: "/upcast", detail }] });

const refuseMore = (what: string, limit: number): Result<never> =>
  fail("quota_exceeded", `There are as many ${what} as there may be.`, { limit });

const refuseIncompatible = (broken: readonly Incompatibility[]): Result<never> =>
  fail("schema_incompatible", differenceError(broken[0]!).detail, { errors: broken.map(differenceError) });

function compareWith(
  history: readonly SchemaRecord[],
  { schema }: SchemaRequest,
  compatibility: Compatibility,
): readonly Incompatibility[] {
  const asked = compatibility.endsWith("_transitive") ? history : history.slice(-1);
  const compared = readable(asked);
  const versions = compared.map((record) => ({ version: record.version, schema: schemaOf(record) }));
  const found = incompatibilities(versions, schema, compatibility, acceptsValue);
  const left = asked.length - compared.length;
  const undecided = left === 0 ? [] : [tooLong(asked[left - 1]!, compatibility)];
  return [...found, ...undecided].slice(0, LIMITS.SCHEMA_DIFFERENCES_MAX);
}

/** The newest versions, as many as one comparison reads. */
function readable(history: readonly SchemaRecord[]): readonly SchemaRecord[] {
  let bytes = 0;
  const first = history.findLastIndex(({ schema }) => (bytes += schema.length) > LIMITS.SCHEMA_COMPARED_BYTES_MAX);
  return history.slice(first + 1);
}

const tooLong = ({ version }: SchemaRecord, compatibility: Compatibility): Incompatibility => {
  const breaks = compatibility.startsWith("forward") ? "readers" : "writers";
  return { pointer: "", rule: "size", isCertain: false, breaks, version };
};

function schemaOf(record: SchemaRecord): Schema {
  const read = readSchema(JSON.parse(record.schema), "");
  if (!read.ok) throw new Error(`a stored schema does not read: ${read.failure.detail}`);
  return read.value;
}

function entryOf(c: HubContext, action: AuditAction, before: SchemaRecord | null, after: SchemaRecord): AuditEntry {
  const shown = { before: before && formatSchemaFacts(before), after: formatSchemaFacts(after) };
  return { ...auditActorOf(callerOf(c)), action, subject: after.type, ...shown };
}
