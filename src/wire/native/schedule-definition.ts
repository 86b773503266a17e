/** `PUT /v1/schedules/{name}`, and what `GET` answers. Whether the expression is one is said where it is read. */
import type { ScheduleDefinition } from "../../core/cron-schedule.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { EventDraft } from "../../core/event.ts";
import { isTopicName } from "../../core/names.ts";
import type { Result } from "../../core/result.ts";
import { stringOf } from "../../core/json-text.ts";
import { parseTimestampMs } from "../../core/timestamp.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { parseDraft } from "./draft.ts";

const MEMBERS = ["cron", "timeZone", "topic", "event", "startAt", "endAt", "paused", "catchUp"];
const CRON_CHARS_MAX = 200;
const TIME_ZONE_CHARS_MAX = 64;

export function parseScheduleDefinition(name: string, text: string): Result<ScheduleDefinition> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  for (const member of ["cron", "topic", "event"]) {
    if (!given.has(member)) reader.refuse(`/${member}`, `A schedule says its ${member}.`);
  }
  const cron = reader.text(given.get("cron"), "/cron", CRON_CHARS_MAX)?.trim().replaceAll(/\s+/g, " ") ?? "";
  const timeZone = reader.text(given.get("timeZone"), "/timeZone", TIME_ZONE_CHARS_MAX) ?? "UTC";
  const topic = given.has("topic") ? (stringOf(given.get("topic")!) ?? "") : "";
  if (given.has("topic") && !isTopicName(topic)) reader.refuse("/topic", "That is not a name that a topic can have.");
  const event = given.get("event") ?? "";
  if (given.has("event")) checkEvent(reader, event);
  const startAt = readTime(reader, given.get("startAt"), "/startAt");
  const endAt = readTime(reader, given.get("endAt"), "/endAt");
  if (startAt !== null && endAt !== null && endAt < startAt) reader.refuse("/endAt", "It ends after it has begun.");
  const paused = reader.boolean(given.get("paused"), "/paused") ?? false;
  const catchUp = reader.choice(given.get("catchUp"), "/catchUp", ["last", "all"], []) ?? "last";
  const definition = { name, cron, timeZone, topic, event, startAt, endAt, paused, catchUp };
  return reader.finish("schedule_invalid", () => definition);
}

/** What the occurrence gives to its event, the event must not bring. */
const GIVEN: readonly (readonly [member: string, isBrought: (draft: EventDraft) => boolean])[] = [
  ["id", ({ id }) => id !== null],
  ["time", ({ time }) => time !== null],
  ["deliverAt", ({ deliverAt }) => deliverAt !== undefined],
  ["expectedKeyVersion", ({ expectedKeyVersion }) => expectedKeyVersion !== null],
];

function checkEvent(reader: DefinitionReader, event: string): void {
  const draft = parseDraft(event, { source: "/", traceparent: null });
  if (!draft.ok) {
    const { errors, detail = "This is not an event." } = draft.failure;
    for (const error of errors ?? [{ pointer: "", detail }]) reader.refuse(`/event${error.pointer}`, error.detail);
    return;
  }
  for (const [member, isBrought] of GIVEN) {
    if (isBrought(draft.value)) reader.refuse(`/event/${member}`, "Each occurrence has its own.");
  }
}

function readTime(reader: DefinitionReader, raw: string | undefined, pointer: string): number | null {
  if (raw === undefined) return null;
  const at = parseTimestampMs(stringOf(raw) ?? "");
  if (at === null) reader.refuse(pointer, "A time is written as in RFC 3339.");
  return at;
}

/** Times in milliseconds since 1970. */
interface ShownSchedule {
  readonly definition: ScheduleDefinition;
  readonly createdAt: number;
  readonly next: readonly number[];
  readonly last: { readonly at: number; readonly code: ErrorCode | null } | null;
  readonly trying: { readonly at: number; readonly code: ErrorCode } | null;
}

/** What can be PUT again. */
export function formatScheduleDefinition(definition: ScheduleDefinition) {
  const { event, startAt, endAt, ...rest } = definition;
  return { ...rest, event: JSON.parse(event) as object, startAt: timeOf(startAt), endAt: timeOf(endAt) };
}

/** As JSON text, because the event's numbers stay as they came. Lists show no events. */
export function formatSchedule({ definition, createdAt, next, last, trying }: ShownSchedule): string {
  const { event, startAt, endAt, ...rest } = definition;
  const facts = { ...rest, startAt: timeOf(startAt), endAt: timeOf(endAt), createdAt: timeOf(createdAt) };
  const shownLast = last === null ? null : { at: timeOf(last.at), ...(last.code !== null && { code: last.code }) };
  const shownTrying = trying === null ? null : { at: timeOf(trying.at), code: trying.code };
  const shown = JSON.stringify({ ...facts, next: next.map(timeOf), last: shownLast, trying: shownTrying });
  return event === "" ? shown : `${shown.slice(0, -1)},"event":${event}}`;
}

const timeOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
