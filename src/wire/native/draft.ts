/**
 * Events as producers write them for us: `application/json` with one draft, a list of drafts or `{ "events": […] }`,
 * and the portable envelope `{ "event", "payload", "meta" }`, which is a draft by other names.
 */
import { DraftBuilder, quoteName, type DraftDefaults } from "../../core/draft-builder.ts";
import { EVENT_JSON_LIMITS, listJsonLimits, readDraftList } from "../../core/draft-list.ts";
import type { EventDraft } from "../../core/event.ts";
import { isForbiddenName } from "../../core/event-attributes.ts";
import {
  cutElements,
  elementOf,
  isListText,
  isObjectText,
  members,
  parseJson,
  stringOf,
  type JsonElement,
  type JsonMember,
} from "../../core/json-text.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { fail, ok, type Result } from "../../core/result.ts";

const REQUEST_LIMITS = listJsonLimits(2); // `{ "events": [` stands around each event.

/** A request's body. All drafts are good, or the refusal names what is wrong with each by JSON Pointer. */
export function parseDrafts(text: string, defaults: DraftDefaults): Result<EventDraft[]> {
  const parsed = parseJson(text, REQUEST_LIMITS);
  if (!parsed.ok) return parsed;
  const list = findList(parsed.value.tight);
  if (!list.ok) return list;
  const { events, root } = list.value;
  if (events.length === 0) return fail("event_invalid", "A request brings at least one event.");
  return readDraftList(events, parsed.value, (event, index) =>
    readDraft(event, root === null ? "" : `${root}/${index}`, defaults),
  );
}

/** One draft: a line of NDJSON, or what a socket publishes. */
export function parseDraft(text: string, defaults: DraftDefaults): Result<EventDraft> {
  const parsed = parseJson(text, EVENT_JSON_LIMITS);
  return parsed.ok ? readDraft(elementOf(parsed.value.tight), "", defaults) : parsed;
}

interface DraftList {
  readonly events: readonly JsonElement[];
  /** Pointer to the list; null when the body is the one draft itself. */
  readonly root: string | null;
}

function findList(text: string): Result<DraftList> {
  if (isListText(text)) return ok({ events: cutElements(text), root: "" });
  const alone = elementOf(text);
  const events = alone.members?.find((member) => member.name === "events");
  if (events === undefined) return ok({ events: [alone], root: null });
  const other = alone.members!.find((member) => member !== events);
  if (other !== undefined) {
    return refuse(`/${escapePointer(other.name)}`, `${quoteName(other.name)} cannot stand beside "events".`);
  }
  if (!isListText(events.raw)) return refuse("/events", "This is a list of drafts.");
  return ok({ events: cutElements(events.raw), root: "/events" });
}

const refuse = (pointer: string, detail: string): Result<never> =>
  fail("event_invalid", detail, { errors: [{ pointer, detail }] });

function readDraft(event: JsonElement, root: string, defaults: DraftDefaults): Result<EventDraft> {
  if (event.members === null) return refuse(root, "An event is an object.");
  const builder = new DraftBuilder();
  readMembers(builder, event.members, root, isEnvelope(event.members) ? ENVELOPE_MEMBERS : DRAFT_MEMBERS);
  return builder.finish(root, ["type"], defaults);
}

const isEnvelope = (found: readonly JsonMember[]): boolean =>
  found.some(({ name }) => name === "event") && !found.some(({ name }) => name === "type");

type Read = (builder: DraftBuilder, raw: string, pointer: string) => void;

/** An attribute; null stands for its absence. */
const attribute =
  (name: string): Read =>
  (builder, raw, pointer) => {
    const value = stringOf(raw);
    if (value !== null) builder.attribute(name, value, pointer);
    else if (raw !== "null") builder.refuseAttribute(name, pointer, "This is a string.");
  };

const extension =
  (name: string): Read =>
  (builder, raw, pointer) => {
    const value = stringOf(raw);
    if (value !== null) builder.extension(name, value, pointer);
    else if (raw !== "null") builder.refuse(pointer, "This is a string.");
  };

const base64: Read = (builder, raw, pointer) => {
  const value = stringOf(raw);
  if (value !== null) builder.dataBase64(value, pointer);
  else if (raw !== "null") builder.refuse(pointer, "This is a string in base64.");
};

const expectedKeyVersion: Read = (builder, raw, pointer) => {
  if (raw !== "null") builder.expectedKeyVersion(JSON.parse(raw), pointer);
};

const data: Read = (builder, raw) => builder.data(raw);

const exclude: Read = (builder, raw, pointer) => {
  const value = stringOf(raw);
  if (value !== null) builder.exclude(value, pointer);
  else if (raw !== "null") builder.refuse(pointer, "This is the id of a connection.");
};

const deliverAt: Read = (builder, raw, pointer) => {
  const value = stringOf(raw);
  if (value !== null) builder.deliverAt(value, pointer);
  else if (raw !== "null") builder.refuse(pointer, "This is a string.");
};

const ttl: Read = (builder, raw, pointer) => {
  const value = stringOf(raw);
  if (value !== null) builder.ttl(value, pointer);
  else if (raw !== "null") builder.refuse(pointer, "This is a duration as a string.");
};

const meta: Read = (builder, raw, pointer) => {
  if (isObjectText(raw)) readMembers(builder, members(raw), pointer, META_MEMBERS);
  else if (raw !== "null") builder.refuse(pointer, "This is an object.");
};

const DRAFT_MEMBERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...["id", "source", "type", "key", "subject", "time", "dataschema", "datacontenttype"].map(
    (name) => [name, attribute(name)] as const,
  ),
  ["traceparent", extension("traceparent")],
  ["tracestate", extension("tracestate")],
  ["data", data],
  ["data_base64", base64],
  ["expectedKeyVersion", expectedKeyVersion],
  ["exclude", exclude],
  ["deliverAt", deliverAt],
  ["ttl", ttl],
]);

const ENVELOPE_MEMBERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["event", attribute("type")],
  ["payload", data],
  ["payload_base64", base64],
  ["meta", meta],
]);

const META_MEMBERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["event_id", attribute("id")],
  ["timestamp", attribute("time")],
  ["source", attribute("source")],
]);

function readMembers(
  builder: DraftBuilder,
  found: readonly JsonMember[],
  root: string,
  known: ReadonlyMap<string, Read>,
): void {
  const seen = new Set<string>();
  for (const { name, raw } of found) {
    const read = known.get(name);
    const pointer = `${root}/${read === undefined ? escapePointer(name) : name}`;
    if (seen.has(name)) builder.refuse(pointer, `${quoteName(name)} stands here twice.`);
    else if (read !== undefined) read(builder, raw, pointer);
    else if (isForbiddenName(name)) builder.refuse(pointer, `${quoteName(name)} cannot be the name of a member.`);
    else builder.refuse(pointer, `${quoteName(name)} is not a member of an event.`);
    seen.add(name);
  }
}
