/**
 * Payloads between the two worlds. Pusher's are strings which mostly hold JSON; an event's are JSON. JSON becomes the
 * event's data; any other text becomes a string whose media type says that it is text, so that both readers get back
 * what was meant.
 */
import { members, minify, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";

const TEXT = "text/plain";

/** A draft, as JSON text, of an event that a Pusher client or server sends. */
export function draftOf(name: string, text: string): string {
  const type = JSON.stringify(name);
  const isJson = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX }).ok;
  if (isJson) return `{"type":${type},"data":${minify(text)}}`;
  return `{"type":${type},"datacontenttype":"${TEXT}","data":${JSON.stringify(text)}}`;
}

export interface PusherEvent {
  readonly name: string;
  /** The payload as Pusher's clients get it. */
  readonly text: string;
}

/** `line` is an event as a log keeps it. */
export function pusherEventOf(line: string): PusherEvent {
  const given = new Map(members(line).map(({ name, raw }) => [name, raw]));
  return { name: stringOf(given.get("type")!)!, text: textOf(given) };
}

function textOf(given: ReadonlyMap<string, string>): string {
  const raw = given.get("data") ?? given.get("data_base64") ?? "null";
  const isText = stringOf(given.get("datacontenttype") ?? "") === TEXT;
  return isText ? (stringOf(raw) ?? raw) : raw;
}
