import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../../src/core/errors.ts";
import { formatEventLine } from "../../../src/core/event.ts";
import {
  formatCaughtUp,
  formatError,
  formatEvent,
  formatGap,
  formatMemberChange,
  formatPresenceUpdated,
  formatPublished,
  formatSubscribed,
  formatUnsubscribed,
  formatWelcome,
  joinFrames,
  parseHubFrame,
  PONG_FRAME,
} from "../../../src/wire/native/hub-frames.ts";
import { problemOf } from "../../../src/wire/native/problem.ts";
import { formatReceipt } from "../../../src/wire/native/receipt.ts";
import { parseCursor } from "../../../src/core/cursor.ts";
import { parseDraft } from "../../../src/wire/native/draft.ts";
import { DEFAULTS, POSITION, valueOf } from "../schema.ts";

const LINE = formatEventLine(
  valueOf(parseDraft('{"type":"event","data":{"event":1e999,"receipt":[1.0,"}\\""]}}', DEFAULTS)),
  "1",
  POSITION,
);

const MEMBER = { id: 'a"', data: '{"n":1}' };

describe("frames of the hub", () => {
  it("[WIRE-12] are read back as they were meant, one or many in a frame, the event's line untouched", () => {
    const gap = { topic: "t", partition: 0, requested: 3, firstHeld: 9, reason: "trimmed" } as const;
    const messages: [string, object][] = [
      [
        formatWelcome({ connection: "c", end: null, ackWindow: 1_000 }),
        { op: "welcome", connection: "c", ackWindow: 1_000 },
      ],
      [
        formatWelcome({
          connection: "c",
          end: { expiresAt: "2026-01-01T00:00:00Z", expiresInSeconds: 60 },
          ackWindow: null,
        }),
        { op: "welcome", connection: "c", expiresAt: "2026-01-01T00:00:00Z", expiresInSeconds: 60 },
      ],
      [formatSubscribed("r", "t", "C", null), { op: "subscribed", ref: "r", topic: "t", cursor: "C" }],
      [formatSubscribed(null, "t", "C", null), { op: "subscribed", topic: "t", cursor: "C" }],
      [
        formatSubscribed(1, "t", "C", { version: 7, members: [MEMBER, { id: "b", data: null }] }),
        {
          op: "subscribed",
          ref: 1,
          topic: "t",
          cursor: "C",
          members: [
            { id: 'a"', data: { n: 1 } },
            { id: "b", data: null },
          ],
          version: 7,
        },
      ],
      [
        formatMemberChange("t", { kind: "removed", member: MEMBER, version: 8 }),
        { op: "member_removed", topic: "t", member: { id: 'a"', data: { n: 1 } }, version: 8 },
      ],
      [formatPresenceUpdated("r", "t", 9), { op: "presence", ref: "r", topic: "t", version: 9 }],
      [formatEvent("t", "C", LINE), { op: "event", topic: "t", cursor: "C", event: LINE }],
      [formatCaughtUp("t", "C"), { op: "caught_up", topic: "t", cursor: "C" }],
      [formatGap(gap), { op: "gap", ...gap }],
      [formatUnsubscribed(0, "t"), { op: "unsubscribed", ref: 0, topic: "t" }],
      [formatPublished("r", '{"offset":1}'), { op: "published", ref: "r", receipt: '{"offset":1}' }],
      [formatPublished(null, "{}"), { op: "published", receipt: "{}" }],
      [
        formatError("r", { code: "topic_not_found" }),
        { op: "error", ref: "r", problem: problemOf({ code: "topic_not_found" }) },
      ],
      [PONG_FRAME, { op: "pong" }],
    ];
    for (const [text, message] of messages) {
      expect(parseHubFrame(joinFrames([text]))).toEqual([message]);
      expect(JSON.parse(text)).toHaveProperty("op");
    }
    expect(parseHubFrame(joinFrames(messages.map(([text]) => text)))).toEqual(messages.map(([, message]) => message));
  });

  it("end with the event's line, so that a reader can cut it out", () => {
    expect(formatEvent("t", "C", LINE).endsWith(`,"event":${LINE}}`)).toBe(true);
  });
});

describe("problems", () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])("[WIRE-5] %s is told as RFC 9457 asks", (code) => {
    const { status, says, retryable, effect } = ERRORS[code];
    expect(problemOf({ code })).toEqual({
      type: `https://tidings.dev/problems/${code}`,
      title: says,
      status,
      code,
      retryable,
      effect,
    });
  });

  it("[WIRE-5] carry what helps to mend the request, and no empty members", () => {
    const errors = [{ pointer: "/type", detail: "x" }];
    expect(
      problemOf({ code: "event_invalid", detail: "d", limit: 1, actual: 2, errors, retryAfterSeconds: 5 }),
    ).toMatchObject({ detail: "d", limit: 1, actual: 2, errors });
    expect(problemOf({ code: "event_invalid", errors: [] })).not.toHaveProperty("errors");
    expect(problemOf({ code: "event_invalid", retryAfterSeconds: 5 })).not.toHaveProperty("retryAfterSeconds");
  });
});

describe("receipts", () => {
  const place = { topic: "t", partition: 3, epoch: 5 };

  it("[CUR-1] say where an event stands, with the cursor after it", () => {
    const text = formatReceipt({ id: 'a"b', offset: 7, keyVersion: null, duplicate: false }, place);
    const { cursor, ...receipt } = JSON.parse(text) as { cursor: string };
    expect(receipt).toEqual({ id: 'a"b', topic: "t", partition: 3, offset: 7, duplicate: false });
    expect(parseCursor(cursor)).toEqual({ epoch: 5, offsets: new Map([[3, 7]]) });
  });

  it("carry the key's version where the topic counts them", () => {
    const text = formatReceipt({ id: "1", offset: 7, keyVersion: 2, duplicate: true }, place);
    expect(JSON.parse(text)).toMatchObject({ keyVersion: 2, duplicate: true });
  });
});
