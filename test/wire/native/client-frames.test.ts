import { describe, expect, it } from "vitest";
import { formatPartitionCursor } from "../../../src/core/cursor.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import type { ClientMessage } from "../../../src/core/client-message.ts";
import { parseClientFrame, PING_FRAME } from "../../../src/wire/native/client-frames.ts";
import { refusalOf, valueOf } from "../schema.ts";

const CURSOR = formatPartitionCursor(5, 0, 7);
const read = (frame: unknown): ClientMessage[] =>
  valueOf(parseClientFrame(typeof frame === "string" ? frame : JSON.stringify(frame)));

describe("a frame", () => {
  it.each<[object, ClientMessage]>([
    [
      { op: "subscribe", topic: "t" },
      { op: "subscribe", ref: null, topic: "t", from: { kind: "latest" }, filter: null, presence: null },
    ],
    [
      {
        op: "subscribe",
        ref: "r",
        topic: "$audit",
        from: "offset:3",
        filter: { type: ["a"] },
        presence: { data: { n: 1 } },
      },
      {
        op: "subscribe",
        ref: "r",
        topic: "$audit",
        from: { kind: "offset", offset: 3 },
        filter: { type: ["a"] },
        presence: '{"n":1}',
      },
    ],
    [
      { op: "subscribe", ref: null, topic: "t", from: null, filter: null, presence: {} },
      { op: "subscribe", ref: null, topic: "t", from: { kind: "latest" }, filter: null, presence: "null" },
    ],
    [
      { op: "unsubscribe", ref: 7, topic: "t" },
      { op: "unsubscribe", ref: 7, topic: "t" },
    ],
    [
      { op: "presence", topic: "presence-t", data: [1] },
      { op: "presence", ref: null, topic: "presence-t", data: "[1]" },
    ],
    [
      { op: "ack", topic: "t", cursor: CURSOR },
      { op: "ack", topic: "t", cursor: { epoch: 5, offsets: new Map([[0, 7]]) } },
    ],
    [
      { op: "refresh", ref: 1, token: "a.b.c" },
      { op: "refresh", ref: 1, token: "a.b.c" },
    ],
    [{ op: "ping" }, { op: "ping" }],
  ])("[WIRE-12] %j is read", (message, expected) => {
    expect(read(message)).toEqual([expected]);
  });

  it("[WIRE-1] keeps the event that it publishes as text", () => {
    const [message] = read(' { "op":"publish", "ref" : "1", "topic":"t", "event" : {"type":"a","data":1e999} } ');
    expect(message).toEqual({ op: "publish", ref: "1", topic: "t", event: '{"type":"a","data":1e999}', echo: true });
  });

  it("[WIRE-2] measures an event's depth without the message and the list around it", () => {
    const publish = (depth: number) =>
      `[{"op":"publish","topic":"t","event":${"[".repeat(depth)}${"]".repeat(depth)}}]`;
    expect(read(publish(LIMITS.JSON_DEPTH_MAX))).toMatchObject([{ op: "publish" }]);
    expect(parseClientFrame(publish(LIMITS.JSON_DEPTH_MAX + 1))).toMatchObject({
      failure: { code: "json_too_deep", limit: LIMITS.JSON_DEPTH_MAX, actual: LIMITS.JSON_DEPTH_MAX + 1 },
    });
  });

  it("[WIRE-12] may hold several messages; one that is wrong is refused alone, under its ref", () => {
    const wrong = { op: "subscribe", ref: "x", topic: "no name" };
    const messages = read([{ op: "ping" }, wrong, { op: "unsubscribe", topic: "t" }]);
    expect(messages.map((message) => message.op)).toEqual(["ping", "refused", "unsubscribe"]);
    expect(messages[1]).toMatchObject({ ref: "x", failure: { code: "topic_name_invalid" } });
    expect(read(PING_FRAME)).toEqual([{ op: "ping" }]);
  });

  it.each<[unknown, string]>([
    [{ op: "subscribe" }, "frame_invalid"],
    [{ op: "subscribe", topic: 5 }, "frame_invalid"],
    [{ op: "subscribe", topic: "" }, "topic_name_invalid"],
    [{ op: "subscribe", topic: "a b" }, "topic_name_invalid"],
    [{ op: "subscribe", topic: "t", from: "yesterday" }, "parameter_invalid"],
    [{ op: "subscribe", topic: "t", from: 5 }, "frame_invalid"],
    [{ op: "subscribe", topic: "t", from: "cursor:x" }, "cursor_invalid"],
    [{ op: "subscribe", topic: "t", filter: { data: [{ prefix: 5 }] } }, "filter_invalid"],
    [{ op: "subscribe", topic: "t", filter: { type: ["a".repeat(4_096)] } }, "filter_invalid"],
    [{ op: "subscribe", topic: "t", presence: 5 }, "frame_invalid"],
    [{ op: "subscribe", topic: "t", presence: { data: 1, user: "me" } }, "frame_invalid"],
    [{ op: "subscribe", topic: "t", extra: 1 }, "frame_invalid"],
    [{ op: "publish", topic: "t" }, "frame_invalid"],
    [{ op: "ack", topic: "t", cursor: "x" }, "cursor_invalid"],
    [{ op: "ack", topic: "t" }, "cursor_invalid"],
    [{ op: "refresh" }, "frame_invalid"],
    [{ op: "refresh", token: 7 }, "frame_invalid"],
    [{ op: "refresh", token: "a.b.c", topic: "t" }, "frame_invalid"],
    [{ op: "shout" }, "frame_invalid"],
    [{}, "frame_invalid"],
    [5, "frame_invalid"],
    ["null", "frame_invalid"],
    [{ op: 5 }, "frame_invalid"],
    [{ op: "ping", ref: {} }, "frame_invalid"],
    [{ op: "ping", ref: "a".repeat(65) }, "frame_invalid"],
    ['{"op":"unsubscribe","topic":"a","topic":"b"}', "frame_invalid"],
    ['{"op":"ping","__proto__":1}', "frame_invalid"],
    [{ op: "constructor" }, "frame_invalid"],
  ])("[WIRE-12] %j is refused with %s", (message, code) => {
    expect(read(message)).toMatchObject([{ op: "refused", failure: { code } }]);
  });

  it.each<[string, string]>([
    ["", "json_invalid"],
    ["hello", "json_invalid"],
    ["[]", "frame_invalid"],
    ['{"op":"\\ud800"}', "encoding_invalid"],
    [`[${Array.from({ length: 101 }, () => PING_FRAME).join(",")}]`, "frame_invalid"],
    ["[".repeat(100), "json_too_deep"],
    [`"${"é".repeat(LIMITS.FRAME_IN_BYTES_MAX / 2)}"`, "frame_too_large"],
  ])("[WIRE-12] %#: is refused whole with %s", (text, code) => {
    expect(refusalOf(parseClientFrame(text)).code).toBe(code);
  });
});
