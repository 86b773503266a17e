/**
 * Holds events against the schemas of their types, where the topic asks for it, and writes into each which version it
 * keeps to. A type without a schema may hold anything.
 */
import type { Failure, FieldError } from "../core/errors.ts";
import type { EventDraft } from "../core/event.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { formatSchemaReference, parseSchemaReference, type SchemaReference } from "../core/schema-reference.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import type { TopicRecord } from "../store/topics-store.ts";
import { findNewestVersions, findValidator } from "./schema-directory.ts";

/** Under `enforce` fails with `schema_violation` and all that is wrong, and nothing is appended. */
export async function checkDrafts(
  env: Env,
  topic: TopicRecord,
  drafts: readonly EventDraft[],
): Promise<Result<readonly EventDraft[]>> {
  if (topic.schemaPolicy === "off") return ok(drafts);
  const newest = await findNewestVersions(env, topic.app);
  if (newest.size === 0) return ok(drafts);
  const errors: FieldError[] = [];
  let schema: Failure["schema"];
  const checked: EventDraft[] = [];
  for (const draft of drafts) {
    const version = newest.get(draft.type);
    const found = version === undefined ? ok(draft) : await checkDraft(env, topic.app, draft, version);
    checked.push(found.ok ? found.value : draft);
    if (found.ok) continue;
    schema ??= found.failure.schema;
    errors.push(...noteViolation(topic, draft, found.failure.errors ?? []));
  }
  if (errors.length === 0 || topic.schemaPolicy === "warn") return ok(checked);
  return fail("schema_violation", errors[0]!.detail, {
    errors: errors.slice(0, ERRORS_NAMED_MAX),
    ...(schema !== undefined && { schema }),
  });
}

const ERRORS_NAMED_MAX = 20;

function noteViolation(topic: TopicRecord, { type }: EventDraft, errors: readonly FieldError[]): readonly FieldError[] {
  const { app, name, schemaPolicy: policy } = topic;
  if (policy === "warn") logStage("event.schema_violated", { app, topic: name, type, policy, errors: errors.length });
  return errors;
}

/** Against the version that the event itself names, else the newest. */
async function checkDraft(env: Env, app: string, draft: EventDraft, newest: number): Promise<Result<EventDraft>> {
  const { type, root = "" } = draft;
  const named = namedSchema(draft);
  const reference = named === null ? { type, version: newest } : parseSchemaReference(named);
  // A schema that is kept elsewhere is not looked up: the hub's own counts.
  const against: SchemaReference = reference ?? { type, version: newest };
  const refuse = (errors: readonly FieldError[], version: number | null = null): Result<never> =>
    fail("schema_violation", errors[0]!.detail, { errors, schema: { type, version } });
  const refuseAt = (pointer: string, detail: string): Result<never> =>
    refuse([{ pointer: `${root}${pointer}`, detail }]);
  if (against.type !== type) return refuseAt("/dataschema", "That is a schema of another type.");
  // The newest that is known here may be half a minute old, so the next one is looked for.
  const validator = against.version > newest + 1 ? null : await findValidator(env, app, against);
  if (validator === null) return refuseAt("/dataschema", "There is no such version of the type's schema.");
  if (!draft.data.startsWith(DATA)) return refuseAt("/data", "The type has a schema, so its events have data in JSON.");
  const text = draft.data.slice(DATA.length);
  const violations = validator.violations(JSON.parse(text), text.length);
  if (violations.length === 0) return ok(stampDraft(draft, named === null, against));
  return refuse(
    violations.map(({ pointer, detail }) => ({ pointer: `${root}/data${pointer}`, detail })),
    against.version,
  );
}

const DATA = `,"data":`;

/** Never within a value: a quote inside a string has a backslash before it. */
const DATASCHEMA = `,"dataschema":"`;

function namedSchema({ attributes }: EventDraft): string | null {
  if (!attributes.includes(DATASCHEMA)) return null;
  return (JSON.parse(`{${attributes.slice(1)}}`) as { dataschema: string }).dataschema;
}

function stampDraft(draft: EventDraft, isUnnamed: boolean, against: SchemaReference): EventDraft {
  const dataschema = isUnnamed ? `${DATASCHEMA}${formatSchemaReference(against)}"` : "";
  return { ...draft, attributes: `${draft.attributes}${dataschema},"schemaversion":${against.version}` };
}
