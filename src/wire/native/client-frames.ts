/**
 * What clients say on a WebSocket of subprotocol `tidings.v1`: one message or a list of messages in a frame of text.
 * A frame that cannot be read at all is refused whole; a message that is wrong is refused alone, under its own `ref`.
 */
import type { ClientMessage, Ref } from "../../core/client-message.ts";
import { parseCursor } from "../../core/cursor.ts";
import { parseFilter, type FilterPattern } from "../../core/filter-pattern.ts";
import { elements, isListText, isObjectText, members, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSystemTopicName, isTopicName } from "../../core/names.ts";
import { parsePosition, type Position } from "../../core/position.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8, utf8Length } from "../../core/utf8.ts";

/** The exact text that the hub's auto-response answers without waking it. */
export const PING_FRAME = '{"op":"ping"}';

const FRAME_LIMITS = {
  depthMax: LIMITS.JSON_DEPTH_MAX,
  keysMax: LIMITS.FRAME_IN_BYTES_MAX,
  wrapperDepth: 2, // a list of messages around an event
};

export function parseClientFrame(text: string): Result<ClientMessage[]> {
  if (!fitsUtf8(text, LIMITS.FRAME_IN_BYTES_MAX)) {
    return fail("frame_too_large", undefined, { limit: LIMITS.FRAME_IN_BYTES_MAX, actual: utf8Length(text) });
  }
  const parsed = parseJson(text, FRAME_LIMITS);
  if (!parsed.ok) return parsed;
  const raws = isListText(text.trim()) ? elements(text) : [text.trim()];
  if (raws.length === 0) return fail("frame_invalid", "A frame holds at least one message.");
  if (raws.length > LIMITS.FRAME_MESSAGES_MAX) {
    return fail("frame_invalid", "There are too many messages in the frame.", {
      limit: LIMITS.FRAME_MESSAGES_MAX,
      actual: raws.length,
    });
  }
  return ok(raws.map(readMessage));
}

type Members = ReadonlyMap<string, string>;
type Read = (given: Members, ref: Ref) => Result<ClientMessage>;

interface Op {
  readonly members: readonly string[];
  readonly read: Read;
}

const OPS: ReadonlyMap<string, Op> = new Map<string, Op>([
  ["subscribe", { members: ["topic", "from", "filter", "presence"], read: readSubscribe }],
  ["unsubscribe", { members: ["topic"], read: readUnsubscribe }],
  ["publish", { members: ["topic", "event", "echo"], read: readPublish }],
  ["presence", { members: ["topic", "data"], read: readPresence }],
  ["ack", { members: ["topic", "cursor"], read: readAck }],
  ["refresh", { members: ["token"], read: readRefresh }],
  ["ping", { members: [], read: () => ok({ op: "ping" }) }],
]);

function readMessage(raw: string): ClientMessage {
  const found = isObjectText(raw) ? members(raw) : [];
  const given = new Map(found.map((member) => [member.name, member.raw]));
  const ref = readRef(given.get("ref"));
  if (!ref.ok) return { op: "refused", ref: null, failure: ref.failure };
  const message = readOp(given, found.length, ref.value);
  return message.ok ? message.value : { op: "refused", ref: ref.value, failure: message.failure };
}

function readOp(given: Members, count: number, ref: Ref): Result<ClientMessage> {
  const name = stringOf(given.get("op") ?? "");
  const op = OPS.get(name ?? "");
  if (op === undefined) return refuse("op", "A message is an object with an op that this protocol knows.");
  if (count !== given.size) return fail("frame_invalid", "A member stands twice.");
  const unknown = [...given.keys()].find((key) => key !== "op" && key !== "ref" && !op.members.includes(key));
  if (unknown !== undefined) return refuse(unknown.slice(0, 64), `A message of op ${name} has no such member.`);
  return op.read(given, ref);
}

const refuse = (member: string, detail: string): Result<never> =>
  fail("frame_invalid", detail, { errors: [{ pointer: `/${member}`, detail }] });

const REF_CHARS_MAX = 64;

function readRef(raw: string | undefined): Result<Ref> {
  if (raw === undefined || raw === "null") return ok(null);
  const ref: unknown = JSON.parse(raw);
  const isRef = (typeof ref === "string" && ref.length <= REF_CHARS_MAX) || Number.isSafeInteger(ref);
  if (isRef) return ok(ref as Ref);
  return refuse("ref", `A ref is an integer or a string of at most ${REF_CHARS_MAX} characters.`);
}

function onTopic(given: Members, then: (topic: string) => Result<ClientMessage>): Result<ClientMessage> {
  const topic = stringOf(given.get("topic") ?? "");
  if (topic === null) return refuse("topic", "The message names a topic.");
  return isTopicName(topic) || isSystemTopicName(topic) ? then(topic) : fail("topic_name_invalid");
}

function readSubscribe(given: Members, ref: Ref): Result<ClientMessage> {
  return onTopic(given, (topic) => {
    const from = readPosition(given.get("from"));
    if (!from.ok) return from;
    const filter = readFilter(given.get("filter"));
    if (!filter.ok) return filter;
    const presence = readPresenceData(given.get("presence"));
    if (!presence.ok) return presence;
    const asked = { op: "subscribe", ref, topic, from: from.value, filter: filter.value } as const;
    return ok({ ...asked, presence: presence.value, ...(given.get("presence") === "false" && { sees: false }) });
  });
}

function readPosition(raw: string | undefined): Result<Position> {
  if (raw === undefined || raw === "null") return ok({ kind: "latest" });
  const text = stringOf(raw);
  return text === null ? refuse("from", "A position is a string.") : parsePosition(text);
}

function readFilter(raw: string | undefined): Result<FilterPattern | null> {
  if (raw === undefined || raw === "null") return ok(null);
  if (!fitsUtf8(raw, LIMITS.FILTER_BYTES_MAX)) {
    const limit = LIMITS.FILTER_BYTES_MAX;
    return fail("filter_invalid", "The filter is too long.", { limit, actual: utf8Length(raw) });
  }
  return parseFilter(JSON.parse(raw));
}

function readPresenceData(raw: string | undefined): Result<string | null> {
  if (raw === undefined || raw === "null" || raw === "false") return ok(null);
  if (!isObjectText(raw)) return refuse("presence", "This is an object with data, or false.");
  const found = members(raw);
  const isKnown = found.length === 0 || (found.length === 1 && found[0]!.name === "data");
  return isKnown ? ok(found[0]?.raw ?? "null") : refuse("presence", "This is an object with data and nothing else.");
}

function readUnsubscribe(given: Members, ref: Ref): Result<ClientMessage> {
  return onTopic(given, (topic) => ok({ op: "unsubscribe", ref, topic }));
}

function readPublish(given: Members, ref: Ref): Result<ClientMessage> {
  return onTopic(given, (topic) => {
    const event = given.get("event");
    if (event === undefined) return refuse("event", "The message brings an event.");
    const echo = given.get("echo") ?? "true";
    if (echo !== "true" && echo !== "false") return refuse("echo", "This is true or false.");
    return ok({ op: "publish", ref, topic, event, echo: echo === "true" });
  });
}

function readPresence(given: Members, ref: Ref): Result<ClientMessage> {
  return onTopic(given, (topic) => ok({ op: "presence", ref, topic, data: given.get("data") ?? "null" }));
}

function readAck(given: Members): Result<ClientMessage> {
  return onTopic(given, (topic) => {
    const cursor = parseCursor(stringOf(given.get("cursor") ?? "") ?? "");
    return cursor === null ? fail("cursor_invalid") : ok({ op: "ack", topic, cursor });
  });
}

function readRefresh(given: Members, ref: Ref): Result<ClientMessage> {
  const token = stringOf(given.get("token") ?? "");
  return token === null ? refuse("token", "The message brings a token.") : ok({ op: "refresh", ref, token });
}
