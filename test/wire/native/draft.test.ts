import { describe, expect, it } from "vitest";
import type { Failure } from "../../../src/core/errors.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import { parseDraft, parseDrafts } from "../../../src/wire/native/draft.ts";
import { seededRandom } from "../../harness/random.ts";
import { randomJson, SEED } from "../random-json.ts";
import { DEFAULTS, lineOf, refusalOf, valueOf } from "../schema.ts";

const one = (text: string, defaults = DEFAULTS) => lineOf(valueOf(parseDraft(text, defaults)));
const refused = (draft: unknown) =>
  refusalOf(parseDraft(typeof draft === "string" ? draft : JSON.stringify(draft), DEFAULTS));
const sized = (chars: number, char: string) =>
  parseDraft(JSON.stringify({ type: "a", data: char.repeat(chars) }), DEFAULTS);
const objectWith = (keys: number): string => `{${Array.from({ length: keys }, (_, key) => `"${key}":1`).join(",")}}`;

describe("payloads", () => {
  it(`[WIRE-1] reach the log token for token, whatever JSON they are (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 1_000; round += 1) {
      const { text, tight } = randomJson(random, 4, round % 2 === 0 ? 0.4 : 0);
      const { line } = one(` { "type" : "a" , "data" : ${text} } `);
      expect(line.endsWith(`,"data":${tight}}`)).toBe(true);
      const [draft] = valueOf(parseDrafts(`[{"data":${text},"type":"a"}]`, DEFAULTS));
      expect(draft!.data).toBe(`,"data":${tight}`);
    }
  });

  it.each([
    "1e999",
    "1.0",
    "-0",
    "12345678901234567890",
    '"\\u0000"',
    "null",
    "[]",
    '"\\ud83d\\ude00"',
    '{"a":1,"a":2}',
  ])("[WIRE-1] %s stays as it is", (json) => {
    expect(one(`{"type":"a","data":${json}}`).line).toContain(`,"data":${json}}`);
  });

  it("have JSON as their type unless they say otherwise, and none without data", () => {
    expect(one('{"type":"a","data":1}').event["datacontenttype"]).toBe("application/json");
    expect(one('{"type":"a","data":"<a/>","datacontenttype":"text/xml"}').event["datacontenttype"]).toBe("text/xml");
    expect(one('{"type":"a"}').event).not.toHaveProperty("datacontenttype");
    expect(one('{"type":"a","data_base64":"AP8="}').event).toMatchObject({ data_base64: "AP8=" });
    expect(one('{"type":"a","data_base64":"AP8="}').event).not.toHaveProperty("datacontenttype");
  });
});

describe("a draft", () => {
  it("[WIRE-6] becomes a CloudEvent with every attribute it brought", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { event } = one(
      JSON.stringify({
        tracestate: "a=b",
        data: { total: 5 },
        type: "order.created",
        key: "k",
        id: "i",
        source: "urn:x",
        subject: "s",
        time: "2026-01-01T00:00:00Z",
        dataschema: "https://example.com/s",
        traceparent,
      }),
    );
    expect(event).toMatchObject({
      specversion: "1.0",
      id: "i",
      source: "urn:x",
      type: "order.created",
      partitionkey: "k",
      subject: "s",
      time: "2026-01-01T00:00:00Z",
      dataschema: "https://example.com/s",
      traceparent,
      tracestate: "a=b",
      datacontenttype: "application/json",
      data: { total: 5 },
    });
  });

  it("needs nothing but a type", () => {
    expect(valueOf(parseDraft('{"type":"a"}', DEFAULTS))).toEqual({
      id: null,
      source: "/apps/default",
      type: "a",
      key: null,
      time: null,
      attributes: "",
      data: "",
      expectedKeyVersion: null,
    });
  });

  it("takes null for an attribute that is absent", () => {
    const names = [
      "id",
      "key",
      "source",
      "subject",
      "time",
      "dataschema",
      "datacontenttype",
      "data_base64",
      "traceparent",
      "tracestate",
      "expectedKeyVersion",
      "deliverAt",
      "ttl",
    ];
    const draft = Object.fromEntries(names.map((name) => [name, null]));
    expect(parseDraft(JSON.stringify({ ...draft, type: "a" }), DEFAULTS)).toEqual(parseDraft('{"type":"a"}', DEFAULTS));
  });

  it("[TRC-3] gets the request's trace when it has none that can be read, and never half of one and half of another", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const own = "00-11111111111111111111111111111111-b7ad6b7169203331-01";
    const traceOf = (more: object, header: string | null = traceparent) => {
      const defaults = { ...DEFAULTS, traceparent: header, tracestate: "header=1" };
      const { event } = one(JSON.stringify({ type: "a", ...more }), defaults);
      return [event["traceparent"], event["tracestate"]];
    };
    expect(traceOf({})).toEqual([traceparent, "header=1"]);
    expect(traceOf({ traceparent: own })).toEqual([own, undefined]);
    expect(traceOf({ traceparent: own, tracestate: "own=1" })).toEqual([own, "own=1"]);
    expect(traceOf({ traceparent: "nonsense", tracestate: "own=1" })).toEqual([traceparent, "header=1"]);
    expect(traceOf({ traceparent: own, tracestate: "not good" })).toEqual([own, undefined]);
    expect(traceOf({ tracestate: "own=1" })).toEqual([traceparent, "header=1"]);
    expect(traceOf({ tracestate: "own=1" }, null)).toEqual([undefined, undefined]);
    expect(traceOf({}, "nonsense")).toEqual([undefined, undefined]);
  });

  it("carries the version of its key that the producer saw", () => {
    expect(valueOf(parseDraft('{"type":"a","key":"k","expectedKeyVersion":0}', DEFAULTS)).expectedKeyVersion).toBe(0);
    expect(valueOf(parseDraft('{"type":"a","key":"k","expectedKeyVersion":7}', DEFAULTS)).expectedKeyVersion).toBe(7);
  });
});

describe("the portable envelope", () => {
  it("[WIRE-6] is a draft by other names", () => {
    const { event } = one(
      JSON.stringify({
        event: "order.created",
        payload: { order_id: 123 },
        meta: { event_id: "uuid", timestamp: "2026-01-01T00:00:00Z", source: "php" },
      }),
    );
    expect(event).toMatchObject({
      type: "order.created",
      data: { order_id: 123 },
      id: "uuid",
      time: "2026-01-01T00:00:00Z",
      source: "php",
    });
    expect(one('{"event":"a","payload":null}').event).toMatchObject({ type: "a", data: null, source: "/apps/default" });
  });

  it.each([
    [{ event: "a", meta: { event_id: "" } }, "/meta/event_id"],
    [{ event: "a", meta: { foo: 1 } }, "/meta/foo"],
    [{ event: "a", meta: [] }, "/meta"],
    [{ event: "", payload: 1 }, "/event"],
    [{ event: "a", data: 1 }, "/data"],
    [{ type: "a", payload: 1 }, "/payload"],
    [{ event: "a", meta: { timestamp: "now" } }, "/meta/timestamp"],
  ])("[WIRE-6] %j is refused at %s", (envelope, pointer) => {
    expect(refused(envelope)).toEqual({ code: "event_invalid", pointers: [pointer] });
  });
});

describe("refusals", () => {
  it.each<[unknown, string]>([
    [{}, "/type"],
    [{ type: null }, "/type"],
    [{ type: "" }, "/type"],
    [{ type: 5 }, "/type"],
    [{ type: "a\nb" }, "/type"],
    [{ type: "a".repeat(256) }, "/type"],
    [{ type: "a", id: "" }, "/id"],
    [{ type: "a", id: 5 }, "/id"],
    [{ type: "a", id: "é".repeat(129) }, "/id"],
    [{ type: "a", key: "" }, "/key"],
    [{ type: "a", key: "k".repeat(257) }, "/key"],
    [{ type: "a", source: "" }, "/source"],
    [{ type: "a", source: "a b" }, "/source"],
    [{ type: "a", subject: "" }, "/subject"],
    [{ type: "a", time: "2026-02-30T00:00:00Z" }, "/time"],
    [{ type: "a", time: 5 }, "/time"],
    [{ type: "a", dataschema: "/relative" }, "/dataschema"],
    [{ type: "a", datacontenttype: "json" }, "/datacontenttype"],
    [{ type: "a", data: 1, data_base64: "AA==" }, "/data_base64"],
    [{ type: "a", data_base64: "A" }, "/data_base64"],
    [{ type: "a", data_base64: 1 }, "/data_base64"],
    [{ type: "a", expectedKeyVersion: 1 }, "/expectedKeyVersion"],
    [{ type: "a", key: "k", expectedKeyVersion: -1 }, "/expectedKeyVersion"],
    [{ type: "a", key: "k", expectedKeyVersion: 1.5 }, "/expectedKeyVersion"],
    [{ type: "a", key: "k", expectedKeyVersion: "1" }, "/expectedKeyVersion"],
    [{ type: "a", deliverAt: "tomorrow" }, "/deliverAt"],
    [{ type: "a", deliverAt: 1_800_000_000 }, "/deliverAt"],
    [{ type: "a", key: "k", expectedKeyVersion: 0, deliverAt: "2026-01-01T00:00:00Z" }, "/expectedKeyVersion"],
    [{ type: "a", ttl: "0s" }, "/ttl"],
    [{ type: "a", ttl: "366d" }, "/ttl"],
    [{ type: "a", ttl: 60 }, "/ttl"],
    [{ type: "a", foo: 1 }, "/foo"],
    [{ type: "a", "a/b~c": 1 }, "/a~1b~0c"],
    [{ type: "a", constructor: 1 }, "/constructor"],
    [{ type: "a", topic: "x" }, "/topic"],
    ['{"type":"a","__proto__":{}}', "/__proto__"],
    ['{"type":"a","type":"b"}', "/type"],
    ['{"type":"a","\\u0074ype":"b"}', "/type"],
    [[], ""],
    ["5", ""],
    ['"a"', ""],
    ["null", ""],
  ])("[WIRE-7] %j is refused at %s", (draft, pointer) => {
    expect(refused(draft)).toEqual({ code: "event_invalid", pointers: [pointer] });
  });

  it("[WIRE-7] name everything that is wrong at once", () => {
    expect(refused({ id: "", key: 5, foo: 1 }).pointers).toEqual(["/id", "/key", "/foo", "/type"]);
  });

  it.each([
    ["json_invalid", "{"],
    ["json_invalid", "nul"],
    ["encoding_invalid", '{"type":"a","data":"\\ud800"}'],
    ["json_too_deep", `{"type":"a","data":${"[".repeat(64)}${"]".repeat(64)}}`],
    ["json_too_many_keys", `{"type":"a","data":${objectWith(10_000)}}`],
  ])("[WIRE-4] %s is the refusal of text that cannot be an event, alone or in a list", (code, text) => {
    expect(refusalOf(parseDraft(text, DEFAULTS)).code).toBe(code);
    expect(refusalOf(parseDrafts(`[${text}]`, DEFAULTS)).code).toBe(code);
  });
});

describe("the size of an event", () => {
  it.each(["a", "é", "日", "😀"])("[WIRE-9] is counted in bytes of its line, with %s as with any other", (char) => {
    const bytes = Buffer.byteLength(char);
    let low = 0;
    let high = LIMITS.EVENT_BYTES_MAX;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (sized(middle, char).ok) low = middle;
      else high = middle;
    }
    expect(low * bytes).toBeGreaterThan(LIMITS.EVENT_BYTES_MAX - 400);
    expect(low * bytes).toBeLessThanOrEqual(LIMITS.EVENT_BYTES_MAX);
    const { failure } = sized(high, char) as { failure: Failure };
    expect(failure).toMatchObject({ code: "event_too_large", limit: LIMITS.EVENT_BYTES_MAX });
    expect(failure.actual).toBeGreaterThan(LIMITS.EVENT_BYTES_MAX);
    expect(failure.actual).toBeLessThanOrEqual(LIMITS.EVENT_BYTES_MAX + bytes);
  });

  it("[WIRE-9] is not that of the whitespace around its tokens", () => {
    expect(parseDraft(`{"type":"a","data":[${" ".repeat(300_000)}]}`, DEFAULTS).ok).toBe(true);
  });
});

describe("a request", () => {
  it("brings one draft, a list, or a list under its name", () => {
    for (const text of ['{"type":"a"}', '[{"type":"a"}]', ' { "events" : [ {"type":"a"} ] } ']) {
      expect(valueOf(parseDrafts(text, DEFAULTS)).map((draft) => draft.type)).toEqual(["a"]);
    }
    const many = JSON.stringify(Array.from({ length: 500 }, (_, index) => ({ type: `t${index}` })));
    expect(valueOf(parseDrafts(many, DEFAULTS)).map((draft) => draft.type)[499]).toBe("t499");
  });

  it.each<[string, string, string[]]>([
    ["[]", "event_invalid", []],
    ['{"events":[]}', "event_invalid", []],
    ['{"events":{}}', "event_invalid", ["/events"]],
    ['{"events":[{"type":"a"}],"x":1}', "event_invalid", ["/x"]],
    ['{"events":[],"events":[]}', "event_invalid", ["/events"]],
    ['[{"type":"a"},{"type":""},5]', "event_invalid", ["/1/type", "/2"]],
    ['{"events":[{"type":"a"},{"tipe":"a"}]}', "event_invalid", ["/events/1/tipe", "/events/1/type"]],
  ])("[WIRE-7] %s is refused with %s, naming %j", (text, code, pointers) => {
    expect(refusalOf(parseDrafts(text, DEFAULTS))).toEqual({ code, pointers });
  });

  it("brings at most 500 events", () => {
    const text = JSON.stringify(Array.from({ length: 501 }, () => ({ type: "a" })));
    expect(parseDrafts(text, DEFAULTS)).toMatchObject({ failure: { code: "body_too_large", limit: 500, actual: 501 } });
  });

  it("[WIRE-2] may nest each event as deep as one that comes alone, whatever stands around it", () => {
    const nested = (depth: number) => `{"type":"a","data":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    const failure = { code: "json_too_deep", limit: 64, actual: 65 };
    for (const [before, after] of [
      ["", ""],
      ["[", "]"],
      ['{"events":[', "]}"],
    ]) {
      expect(valueOf(parseDrafts(before + nested(64) + after, DEFAULTS))).toHaveLength(1);
      for (const depth of [65, 66, 67, 100]) {
        expect(parseDrafts(before + nested(depth) + after, DEFAULTS)).toEqual({ ok: false, failure });
      }
    }
  });

  it("names at most twenty mistakes", () => {
    const text = JSON.stringify(Array.from({ length: 400 }, () => ({})));
    expect(refusalOf(parseDrafts(text, DEFAULTS)).pointers).toHaveLength(20);
  });

  it("counts the members of each event, not those of the request", () => {
    const data = Object.fromEntries(Array.from({ length: 6_000 }, (_, key) => [key, 1]));
    expect(
      valueOf(
        parseDrafts(
          JSON.stringify([
            { type: "a", data },
            { type: "b", data },
          ]),
          DEFAULTS,
        ),
      ),
    ).toHaveLength(2);
  });
});
