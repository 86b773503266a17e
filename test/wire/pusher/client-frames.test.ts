import { describe, expect, it } from "vitest";
import type { ClientMessage } from "../../../src/core/client-message.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import { parseClientFrame } from "../../../src/wire/pusher/client-frames.ts";
import { refusalOf, valueOf } from "../schema.ts";

const read = (event: string, data?: unknown, channel?: string): ClientMessage =>
  valueOf(parseClientFrame(JSON.stringify({ event, data, channel })))[0]!;

const SUBSCRIBE = {
  op: "subscribe",
  ref: "news",
  topic: "news",
  from: { kind: "latest" },
  filter: null,
  presence: null,
  proof: { auth: "", data: null },
};

describe("[PUS-6] what Pusher's clients say", () => {
  it.each<[string, ClientMessage, ClientMessage]>([
    ["a ping that is not the exact text", read("pusher:ping"), { op: "ping" }],
    ["a pong", read("pusher:pong", {}), { op: "pong" }],
    ["a subscribe", read("pusher:subscribe", { channel: "news", auth: "" }), SUBSCRIBE as ClientMessage],
    [
      "a signed subscribe",
      read("pusher:subscribe", { channel: "news", auth: "k:s", channel_data: "{}" }),
      { ...SUBSCRIBE, proof: { auth: "k:s", data: "{}" } } as ClientMessage,
    ],
    [
      "an unsubscribe",
      read("pusher:unsubscribe", { channel: "news" }),
      { op: "unsubscribe", ref: "news", topic: "news" },
    ],
    [
      "a sign-in",
      read("pusher:signin", { auth: "k:s", user_data: '{"id":"1"}' }),
      { op: "sign_in", ref: null, auth: "k:s", data: '{"id":"1"}' },
    ],
  ])("%s", (_name, message, expected) => expect(message).toEqual(expected));

  it("takes the last of several members of a name, as a client's own reader has it", () => {
    const text = '{"event":"pusher:ping","event":"pusher:subscribe","data":{"channel":"a","channel":"news","auth":""}}';
    expect(valueOf(parseClientFrame(text))).toEqual([SUBSCRIBE]);
  });

  it.each([
    ["client-x", { a: 1 }, '{"type":"client-x","data":{"a":1}}'],
    ["client-x", '{"a":1}', '{"type":"client-x","data":{"a":1}}'],
    ["client-x", "text", '{"type":"client-x","datacontenttype":"text/plain","data":"text"}'],
    ["client-x", undefined, '{"type":"client-x","data":null}'],
  ])("%s with %j is an event for its channel", (event, data, draft) => {
    expect(read(event, data, "private-a")).toMatchObject({ op: "publish", topic: "private-a", event: draft });
  });

  it.each<[string, ClientMessage, string | null, string]>([
    ["an event that the protocol does not know", read("hello"), null, "frame_invalid"],
    ["one of the hub's own", read("pusher_internal:member_added", {}, "presence-a"), null, "frame_invalid"],
    ["a subscribe to nothing", read("pusher:subscribe", {}), null, "frame_invalid"],
    ["a subscribe to no name", read("pusher:subscribe", { channel: "a b" }), "a b", "topic_name_invalid"],
    ["a subscribe to the hub's own", read("pusher:subscribe", { channel: "$x" }), "$x", "topic_name_invalid"],
    ["a sign-in as nobody", read("pusher:signin", {}), null, "frame_invalid"],
    ["a client event for no channel", read("client-x", {}), null, "topic_name_invalid"],
    ["a client event too large", read("client-x", "x".repeat(10_241), "private-a"), null, "event_too_large"],
    ["a client event with a long name", read(`client-${"x".repeat(200)}`, {}, "private-a"), null, "frame_invalid"],
  ])("%s is refused alone", (_name, message, ref, code) => {
    expect(message).toMatchObject({ op: "refused", ref, failure: { code } });
  });

  it.each([
    ["no JSON", "json_invalid"],
    ['{"event":"\\ud800"}', "encoding_invalid"],
    [`{"event":${"[".repeat(100)}${"]".repeat(100)}}`, "json_too_deep"],
    [`"${"x".repeat(LIMITS.FRAME_IN_BYTES_MAX)}"`, "frame_too_large"],
  ])("a frame of %s is refused whole", (text, code) => {
    expect(refusalOf(parseClientFrame(text)).code).toBe(code);
  });

  it.each(["7", "[]", "null", "{}", '{"event":7}', '{"event":"pusher:subscribe","data":"text"}'])(
    "%s is no message",
    (text) => expect(valueOf(parseClientFrame(text))[0]).toMatchObject({ op: "refused" }),
  );
});
