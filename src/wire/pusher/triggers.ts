/** What Pusher's server libraries send to `POST /apps/{id}/events` and `/batch_events`. */
import { elements, isListText, isObjectText, members, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isTopicName } from "../../core/names.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8, utf8Length } from "../../core/utf8.ts";
import { USER_CHANNEL } from "./client-frames.ts";

export interface Trigger {
  readonly name: string;
  /** The payload as it was sent. */
  readonly text: string;
  readonly channels: readonly string[];
  /** The connection that does not get it; null: all do. */
  readonly socketId: string | null;
  /** What is asked of each channel beside. */
  readonly asked: readonly ChannelAttribute[];
}

export type ChannelAttribute = "user_count" | "subscription_count" | "cache";

export function parseTrigger(body: string): Result<Trigger> {
  const parsed = parseBody(body);
  return parsed.ok ? readTrigger(parsed.value, "") : parsed;
}

/** Each of a batch has one channel. */
export function parseBatch(body: string): Result<readonly Trigger[]> {
  const parsed = parseBody(body);
  if (!parsed.ok) return parsed;
  const raw = membersOf(parsed.value).get("batch") ?? "";
  const items = isListText(raw) ? elements(raw) : [];
  const limit = LIMITS.PUSHER_BATCH_EVENTS_MAX;
  if (items.length === 0 || items.length > limit) return refuse("/batch", `This is a list of 1 to ${limit} events.`);
  const triggers: Trigger[] = [];
  for (const [index, item] of items.entries()) {
    const trigger = readTrigger(item, `/batch/${index}`);
    if (!trigger.ok) return trigger;
    triggers.push(trigger.value);
  }
  return ok(triggers);
}

const refuse = (pointer: string, detail: string): Result<never> =>
  fail("event_invalid", detail, { errors: [{ pointer, detail }] });

function parseBody(body: string): Result<string> {
  const keysMax = LIMITS.JSON_KEYS_MAX;
  const parsed = parseJson(body, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax });
  return parsed.ok ? ok(body.trim()) : parsed;
}

const membersOf = (raw: string): ReadonlyMap<string, string> =>
  new Map(isObjectText(raw) ? members(raw).map(({ name, raw: value }) => [name, value]) : []);

/** Members that it does not know are left alone: newer libraries send more. */
function readTrigger(raw: string, root: string): Result<Trigger> {
  const given = membersOf(raw);
  const name = stringOf(given.get("name") ?? "") ?? "";
  if (name === "" || name.length > LIMITS.PUSHER_NAME_CHARS_MAX)
    return refuse(`${root}/name`, `A name has 1 to ${LIMITS.PUSHER_NAME_CHARS_MAX} characters.`);
  const text = stringOf(given.get("data") ?? "");
  if (text === null) return refuse(`${root}/data`, "The data are a string.");
  const limit = LIMITS.PUSHER_DATA_BYTES_MAX;
  if (!fitsUtf8(text, limit)) return fail("event_too_large", undefined, { limit, actual: utf8Length(text) });
  const channels = readChannels(given, root);
  if (!channels.ok) return channels;
  const socketId = readSocketId(given.get("socket_id"), root);
  if (!socketId.ok) return socketId;
  const asked = readAttributes(stringOf(given.get("info") ?? "") ?? "");
  return asked.ok ? ok({ name, text, channels: channels.value, socketId: socketId.value, asked: asked.value }) : asked;
}

function readChannels(given: ReadonlyMap<string, string>, root: string): Result<readonly string[]> {
  const one = stringOf(given.get("channel") ?? "");
  const raw = given.get("channels") ?? "";
  const names = one !== null ? [one] : isListText(raw) ? elements(raw).map((item) => stringOf(item) ?? "") : [];
  const limit = LIMITS.PUSHER_CHANNELS_MAX;
  if (names.length === 0 || names.length > limit)
    return refuse(`${root}/channels`, `An event goes to 1 to ${limit} channels.`);
  const isNamed = names.every((name) => isTopicName(name) || userOfChannel(name) !== null);
  return isNamed ? ok([...new Set(names)]) : fail("topic_name_invalid");
}

/** The user whose own channel that is; null: it is no such channel. */
export function userOfChannel(channel: string): string | null {
  const user = channel.startsWith(USER_CHANNEL) ? channel.slice(USER_CHANNEL.length) : "";
  return user !== "" && fitsUtf8(user, LIMITS.USER_ID_BYTES_MAX) ? user : null;
}

function readSocketId(raw: string | undefined, root: string): Result<string | null> {
  if (raw === undefined || raw === "null") return ok(null);
  const id = stringOf(raw) ?? "";
  return /^\d{1,20}\.\d{1,20}$/.test(id)
    ? ok(id)
    : refuse(`${root}/socket_id`, "A socket_id is digits, a dot, digits.");
}

const ATTRIBUTES: readonly ChannelAttribute[] = ["user_count", "subscription_count", "cache"];

/** `info`: names with commas between them. */
export function readAttributes(text: string): Result<readonly ChannelAttribute[]> {
  const names = text === "" ? [] : text.split(",");
  const known = ATTRIBUTES.filter((attribute) => names.includes(attribute));
  if (known.length === new Set(names).size) return ok(known);
  return fail("parameter_invalid", `Of a channel can be asked: ${ATTRIBUTES.join(", ")}.`);
}
