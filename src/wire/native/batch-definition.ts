/**
 * `POST /v1/batches` `{ "mode", "jobs": [{ "type", "payload"?, "key"?, "subject"? }], "topic"?, "eventTopic"?, "name"?,
 * "subscription"?, "then"?, "catch"?, "finally"?, "progress"?, "allowFailures"? }`, and jobs that are added later. A
 * job may be a batch itself: `{ "batch": { "mode", "jobs", … } }`.
 */
import { escapePointer } from "../../core/json-pointer.ts";
import {
  BATCH_NEWS,
  NESTED_TYPE,
  nestedDraft,
  type BatchMode,
  type BatchNewsKind,
  type NewBatchJob,
} from "../../core/job-batch.ts";
import { members, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSubscriptionName, isTopicName } from "../../core/names.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition, type Members } from "./definition-reader.ts";
import { parseDraft } from "./draft.ts";

export interface BatchRequest {
  readonly name: string | null;
  readonly mode: BatchMode;
  readonly topic: string;
  readonly eventTopic: string;
  /** By name; null: workers say what became of the jobs; absent: the only one that there is. */
  readonly subscription?: string | null;
  readonly tells: Readonly<Partial<Record<BatchNewsKind, string>>>;
  readonly allowFailures: boolean;
  readonly jobs: readonly NewBatchJob[];
}

const TOPIC_DEFAULT = "jobs";
const MEMBERS = ["name", "mode", "topic", "eventTopic", "subscription", "allowFailures", "jobs", ...BATCH_NEWS];
const NESTED_MEMBERS = ["name", "mode", "allowFailures", "jobs", ...BATCH_NEWS];
const JOB_MEMBERS = ["type", "payload", "key", "subject"];

/** Failures: those of `parseDefinition`, `batch_invalid`. */
export function parseBatchDefinition(text: string): Result<BatchRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const rules = readRules(reader, given, "");
  const topic = readTopic(reader, given.get("topic"), "/topic") ?? TOPIC_DEFAULT;
  const eventTopic = readTopic(reader, given.get("eventTopic"), "/eventTopic") ?? topic;
  const subscription = readSubscription(reader, raw.value, given.get("subscription"));
  const jobs = readJobs(reader, given.get("jobs"));
  return reader.finish("batch_invalid", () => ({
    ...rules,
    mode: rules.mode!,
    topic,
    eventTopic,
    jobs,
    ...(subscription !== undefined && { subscription }),
  }));
}

/** `{ "jobs": […] }`. Failures likewise. */
export function parseMoreJobs(text: string): Result<readonly NewBatchJob[]> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const jobs = readJobs(reader, reader.object(raw.value, "", ["jobs"]).get("jobs"));
  return reader.finish("batch_invalid", () => jobs);
}

/** `{ "reason"? }`, or nothing at all. Failures likewise. */
export function parseJobEnd(text: string): Result<string | null> {
  const raw = parseDefinition(text === "" ? "{}" : text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["reason"]);
  const reason = reader.text(given.get("reason"), "/reason", LIMITS.BATCH_REASON_CHARS_MAX);
  return reader.finish("batch_invalid", () => reason);
}

function readTopic(reader: DefinitionReader, raw: string | undefined, pointer: string): string | null {
  const topic = reader.text(raw, pointer, LIMITS.TOPIC_NAME_CHARS_MAX);
  if (topic !== null && !isTopicName(topic)) reader.refuse(pointer, "This is not a name that a topic can have.");
  return topic;
}

function readType(
  reader: DefinitionReader,
  raw: string | undefined,
  pointer: string,
  kind: BatchNewsKind,
): [BatchNewsKind, string][] {
  const type = reader.text(raw, `${pointer}/${kind}`, LIMITS.EVENT_TYPE_CHARS_MAX);
  if (type === null) return [];
  const draft = parseDraft(JSON.stringify({ type }), { source: "/", traceparent: null });
  if (!draft.ok)
    reader.refuse(`${pointer}/${kind}`, draft.failure.detail ?? "This is not a type that an event can have.");
  return [[kind, type]];
}

/** A `null` that is written means something: it is looked for in the text, because to the reader it is absent. */
function readSubscription(reader: DefinitionReader, text: string, raw: string | undefined): string | null | undefined {
  if (raw === undefined) {
    const isNull = text.startsWith("{") && members(text).some(({ name }) => name === "subscription");
    return isNull ? null : undefined;
  }
  const name = stringOf(raw) ?? "";
  if (!isSubscriptionName(name)) reader.refuse("/subscription", "This is a subscription's name, or null.");
  return name;
}

function readJobs(
  reader: DefinitionReader,
  raw: string | undefined,
  pointer = "/jobs",
  depth = 1,
): readonly NewBatchJob[] {
  if (raw === undefined) {
    reader.refuse(pointer, "A batch has jobs.");
    return [];
  }
  const items = reader.list(raw, pointer, LIMITS.BATCH_REQUEST_JOBS_MAX);
  return items.map((item, index) => readJob(reader, item, `${pointer}/${index}`, depth));
}

/** `{ "mode", "jobs", "name"?, "allowFailures"?, "then"? … }`: it publishes where the batch around it does. */
function readNestedJob(reader: DefinitionReader, raw: string, pointer: string, depth: number): NewBatchJob {
  const given = reader.object(raw, pointer, NESTED_MEMBERS);
  if (depth > LIMITS.BATCH_DEPTH_MAX) reader.refuse(pointer, `Batches stand ${LIMITS.BATCH_DEPTH_MAX} deep at most.`);
  const rules = readRules(reader, given, pointer);
  const jobs = depth > LIMITS.BATCH_DEPTH_MAX ? [] : readJobs(reader, given.get("jobs"), `${pointer}/jobs`, depth);
  return { type: NESTED_TYPE, draft: nestedDraft({ ...rules, mode: rules.mode!, jobs }) };
}

/** What a batch and one inside it have in common. */
function readRules(reader: DefinitionReader, given: Members, pointer: string) {
  const mode = reader.choice<BatchMode>(given.get("mode"), `${pointer}/mode`, ["chain", "parallel"], []);
  if (!given.has("mode")) reader.refuse(`${pointer}/mode`, "Say which: chain or parallel.");
  const name = reader.text(given.get("name"), `${pointer}/name`, LIMITS.BATCH_NAME_CHARS_MAX);
  const allowFailures = reader.boolean(given.get("allowFailures"), `${pointer}/allowFailures`) ?? false;
  const tells = Object.fromEntries(BATCH_NEWS.flatMap((kind) => readType(reader, given.get(kind), pointer, kind)));
  return { mode, name, allowFailures, tells };
}

/** The payload stays text, as it came. `depth`: of the batch whose job it is. */
function readJob(reader: DefinitionReader, raw: string, pointer: string, depth: number): NewBatchJob {
  const given = reader.object(raw, pointer, [...JOB_MEMBERS, "batch"]);
  const nested = given.get("batch");
  if (nested !== undefined) {
    if (given.size > 1) reader.refuse(pointer, "A job that is a batch has nothing beside it.");
    return readNestedJob(reader, nested, `${pointer}/batch`, depth + 1);
  }
  const written = JOB_MEMBERS.flatMap((name) => {
    const value = given.get(name);
    return value === undefined ? [] : [`"${name === "payload" ? "data" : name}":${value}`];
  });
  const text = `{${written.join(",")}}`;
  const draft = parseDraft(text, { source: "/", traceparent: null });
  if (draft.ok) return { type: draft.value.type, draft: text };
  const { errors = [], detail = "This is not a job." } = draft.failure;
  if (errors.length === 0) reader.refuse(pointer, detail);
  for (const error of errors) reader.refuse(`${pointer}${pointerOf(error.pointer)}`, error.detail);
  return { type: "", draft: "" };
}

const pointerOf = (pointer: string): string =>
  pointer === "/data" || pointer.startsWith("/data/") ? `/${escapePointer("payload")}${pointer.slice(5)}` : pointer;
