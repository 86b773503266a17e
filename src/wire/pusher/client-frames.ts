/**
 * What Pusher's clients say, protocol 7: one message a frame, `{"event", "data", "channel"?}`. A subscribe is marked
 * with its channel, so that its refusal reaches that channel.
 */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { isObjectText, members, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isTopicName } from "../../core/names.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8, utf8Length } from "../../core/utf8.ts";
import { draftOf } from "./event-data.ts";

/** The exact text that pusher-js sends, which the runtime answers without waking the hub. */
export const PING_FRAME = '{"event":"pusher:ping","data":{}}';

/** The channel of a signed-in user, which is none of the topics. */
export const USER_CHANNEL = "#server-to-user-";

const FRAME_LIMITS = { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.FRAME_IN_BYTES_MAX, wrapperDepth: 1 };

export function parseClientFrame(text: string): Result<ClientMessage[]> {
  const limit = LIMITS.FRAME_IN_BYTES_MAX;
  if (!fitsUtf8(text, limit)) return fail("frame_too_large", undefined, { limit, actual: utf8Length(text) });
  const parsed = parseJson(text, FRAME_LIMITS);
  if (!parsed.ok) return parsed;
  const given = membersOf(text.trim());
  return ok([readMessage(stringOf(given.get("event") ?? "") ?? "", given)]);
}

type Members = ReadonlyMap<string, string>;

/** Of several members of a name the last one counts, as every client's own reader has it. */
const membersOf = (raw: string): Members =>
  new Map(isObjectText(raw) ? members(raw).map(({ name, raw: value }) => [name, value]) : []);

function readMessage(event: string, given: Members): ClientMessage {
  const data = given.get("data") ?? "{}";
  switch (event) {
    case "pusher:ping":
      return { op: "ping" };
    case "pusher:pong":
      return { op: "pong" };
    case "pusher:subscribe":
      return readSubscribe(membersOf(data));
    case "pusher:unsubscribe":
      return readUnsubscribe(textOf(membersOf(data), "channel") ?? "");
    case "pusher:signin":
      return readSignIn(membersOf(data));
    default:
      return event.startsWith("client-") ? readClientEvent(event, given) : refused("The hub knows no such event.");
  }
}

const textOf = (given: Members, name: string): string | null => stringOf(given.get(name) ?? "");

const refused = (detail: string, failure: Omit<Failure, "detail"> = { code: "frame_invalid" }): ClientMessage => ({
  op: "refused",
  ref: null,
  failure: { ...failure, detail },
});

function readSubscribe(given: Members): ClientMessage {
  const topic = textOf(given, "channel");
  if (topic === null) return refused("A subscribe names its channel.");
  const isKnown = isTopicName(topic) || topic.startsWith(USER_CHANNEL);
  if (!isKnown || topic.length > CHANNEL_CHARS_MAX) {
    return { op: "refused", ref: topic.slice(0, CHANNEL_CHARS_MAX), failure: { code: "topic_name_invalid" } };
  }
  const proof = { auth: textOf(given, "auth") ?? "", data: textOf(given, "channel_data") };
  return { op: "subscribe", ref: topic, topic, from: { kind: "latest" }, filter: null, presence: null, proof };
}

/** Its mark tells it from an end that the client did not ask for, which is all that it is told of. */
const readUnsubscribe = (topic: string): ClientMessage => ({ op: "unsubscribe", ref: topic, topic });

const CHANNEL_CHARS_MAX = USER_CHANNEL.length + LIMITS.USER_ID_BYTES_MAX;

function readSignIn(given: Members): ClientMessage {
  const [auth, data] = [textOf(given, "auth"), textOf(given, "user_data")];
  if (auth === null || data === null) return refused("A sign-in brings auth and user_data.");
  return { op: "sign_in", ref: null, auth, data };
}

/** It becomes a publish; who may send one, and how often, is decided there. */
function readClientEvent(event: string, given: Members): ClientMessage {
  const topic = textOf(given, "channel") ?? "";
  if (!isTopicName(topic)) return refused("That is no channel.", { code: "topic_name_invalid" });
  if (event.length > LIMITS.PUSHER_NAME_CHARS_MAX) return refused("The name of the event is too long.");
  const raw = given.get("data") ?? "null";
  const text = stringOf(raw) ?? raw;
  const limit = LIMITS.PUSHER_DATA_BYTES_MAX;
  if (!fitsUtf8(text, limit))
    return refused("The data is too long.", { code: "event_too_large", limit, actual: utf8Length(text) });
  return { op: "publish", ref: null, topic, event: draftOf(event, text), echo: false };
}
