import { describe, expect, it } from "vitest";
import { parseDraft } from "../../../src/wire/native/draft.ts";
import { formatEventLine } from "../../../src/core/event.ts";
import { draftOf, pusherEventOf } from "../../../src/wire/pusher/event-data.ts";
import { randomJson, SEED } from "../random-json.ts";
import { seededRandom } from "../../harness/random.ts";
import { valueOf } from "../schema.ts";

const POSITION = { topic: "t", partition: 0, offset: 1, appendedAt: "2026-01-01T00:00:00.000Z", keyVersion: null };

/** From a Pusher server through a log to a Pusher client. */
function throughTheLog(name: string, text: string): { line: string; name: string; text: string } {
  const draft = valueOf(parseDraft(draftOf(name, text), { source: "/s", traceparent: null }));
  const line = formatEventLine(draft, "id", POSITION);
  return { line, ...pusherEventOf(line) };
}

describe("[PUS-5] a payload on its way from Pusher's server library to its clients", () => {
  it.each(['{"a":[1,2.50,1e400,"ä\\u0000"]}', "7", '"a string"', "null", "no JSON", "", "[", "7 7", '"half'])(
    "is the same text: %s",
    (text) => expect(throughTheLog("e", text)).toMatchObject({ name: "e", text }),
  );

  it("loses the space between its tokens, and nothing else", () => {
    expect(throughTheLog("e", ' { "a b" : [ 1 , " x " ] } ').text).toBe('{"a b":[1," x "]}');
  });

  it("is data to native readers: JSON as JSON, and other text as text that says so", () => {
    expect(JSON.parse(throughTheLog("App\\Events\\Sent", '{"a":1}').line)).toMatchObject({
      type: "App\\Events\\Sent",
      data: { a: 1 },
      datacontenttype: "application/json",
    });
    expect(JSON.parse(throughTheLog("e", "no JSON").line)).toMatchObject({
      data: "no JSON",
      datacontenttype: "text/plain",
    });
  });

  it(`is the same for whatever JSON comes (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 500; round += 1) {
      const { text, tight } = randomJson(random, 4, 0.3);
      expect(throughTheLog("e", text).text).toBe(tight);
    }
  });
});

it("[PUS-5] an event without data is null, and bytes are their base64", () => {
  expect(pusherEventOf('{"type":"e"}')).toEqual({ name: "e", text: "null" });
  expect(pusherEventOf('{"type":"e","data_base64":"AAE="}')).toEqual({ name: "e", text: '"AAE="' });
});
