import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { isHubExtension } from "../../../src/core/event-attributes.ts";
import { parseBatch } from "../../../src/wire/cloudevents/batch.ts";
import { cloudEventMode } from "../../../src/wire/cloudevents/mode.ts";
import { parseStructured } from "../../../src/wire/cloudevents/structured.ts";
import { seededRandom } from "../../harness/random.ts";
import { randomJson, SEED } from "../random-json.ts";
import { DEFAULTS, lineOf, refusalOf, valueOf } from "../schema.ts";

const EVENT = { specversion: "1.0", id: "A-1", source: "/shop/eu", type: "com.example.order.created" };
const parse = (event: object) => parseStructured(JSON.stringify(event), DEFAULTS);

describe("the three forms", () => {
  it.each([
    ["application/cloudevents+json", false, "structured"],
    ["Application/CloudEvents+JSON; charset=UTF-8", true, "structured"],
    ["application/cloudevents-batch+json", true, "batch"],
    ["application/json", true, "binary"],
    [null, true, "binary"],
    ["application/json", false, "none"],
    [null, false, "none"],
    ["application/cloudeventsx", false, "none"],
    ['application/cloudevents+json;charset="utf-8"', false, "structured"],
  ] as const)("[WIRE-10] %s, with ce- headers: %s, is %s", (contentType, hasCeHeaders, mode) => {
    expect(cloudEventMode(contentType, hasCeHeaders)).toEqual({ ok: true, value: mode });
  });

  it.each([
    "application/cloudevents",
    "application/cloudevents+avro",
    "application/cloudevents-batch+protobuf",
    "application/cloudevents-batch",
    "application/cloudevents+json2",
    "application/cloudevents+json; charset=utf-16",
  ])("[WIRE-10] %s is refused as content_type_unsupported", (contentType) => {
    expect(refusalOf(cloudEventMode(contentType, true)).code).toBe("content_type_unsupported");
  });
});

describe("a structured event", () => {
  it("[WIRE-10] keeps its attributes and extensions, and its partitionkey is the key", () => {
    const draft = valueOf(
      parse({
        ...EVENT,
        subject: "s",
        time: "2026-01-01T00:00:00Z",
        dataschema: "urn:s",
        datacontenttype: "text/xml",
        data: "<a/>",
        partitionkey: "k",
        sequence: "0001",
        retries: 3,
        urgent: true,
      }),
    );
    expect(draft.key).toBe("k");
    expect(lineOf(draft).event).toMatchObject({
      ...EVENT,
      subject: "s",
      time: "2026-01-01T00:00:00Z",
      dataschema: "urn:s",
      datacontenttype: "text/xml",
      data: "<a/>",
      partitionkey: "k",
      sequence: "0001",
      retries: 3,
      urgent: true,
    });
  });

  it(`[WIRE-1] keeps its data token for token (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 500; round += 1) {
      const { text, tight } = randomJson(random, 3, 0.4);
      const body = `{"data" : ${text}, "specversion":"1.0","id":"1","source":"/s","type":"a"}`;
      expect(lineOf(valueOf(parseStructured(body, DEFAULTS))).line.endsWith(`,"data":${tight}}`)).toBe(true);
    }
  });

  it("tells data that is null from data that is absent, and takes null for an absent attribute", () => {
    const { line } = lineOf(valueOf(parse({ ...EVENT, data: null, subject: null, data_base64: null })));
    expect(line).toContain('"data":null}');
    expect(line).not.toContain("subject");
    expect(lineOf(valueOf(parse(EVENT))).event).not.toHaveProperty("data");
  });

  it("drops what a hub had added when somebody publishes again what they read", () => {
    const again = { ...EVENT, topic: "t", partition: 3, offset: 9, appendedat: "2026-01-01T00:00:00Z", keyversion: 2 };
    expect(parse(again)).toEqual(parse(EVENT));
  });

  it.each<[object, string]>([
    [{ ...EVENT, specversion: "0.3" }, "/specversion"],
    [{ ...EVENT, specversion: 1 }, "/specversion"],
    [{ ...EVENT, specversion: null }, "/specversion"],
    [{ ...EVENT, specversion: undefined }, "/specversion"],
    [{ ...EVENT, id: undefined }, "/id"],
    [{ ...EVENT, id: "" }, "/id"],
    [{ ...EVENT, id: null }, "/id"],
    [{ ...EVENT, source: undefined }, "/source"],
    [{ ...EVENT, source: 5 }, "/source"],
    [{ ...EVENT, type: undefined }, "/type"],
    [{ ...EVENT, partitionkey: 5 }, "/partitionkey"],
    [{ ...EVENT, Extension: "a" }, "/Extension"],
    [{ ...EVENT, "my-ext": "a" }, "/my-ext"],
    [{ ...EVENT, ext: { a: 1 } }, "/ext"],
    [{ ...EVENT, ext: [] }, "/ext"],
    [{ ...EVENT, ext: 1.5 }, "/ext"],
    [{ ...EVENT, ext: 2_147_483_648 }, "/ext"],
    [{ ...EVENT, ext: "\u0000" }, "/ext"],
    [{ ...EVENT, ext: "a".repeat(4_097) }, "/ext"],
    [{ ...EVENT, constructor: "a" }, "/constructor"],
    [{ ...EVENT, data: 1, data_base64: "AA==" }, "/data_base64"],
    [{ ...EVENT, data_base64: "??" }, "/data_base64"],
    [{ ...EVENT, data_base64: 5 }, "/data_base64"],
    [{ ...EVENT, time: "soon" }, "/time"],
    [{ ...EVENT, expectedKeyVersion: 1 }, "/expectedKeyVersion"],
    [{ ...EVENT, ...Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`e${index}`, "a"])) }, "/e32"],
  ])("[WIRE-7] %j is refused at %s", (event, pointer) => {
    expect(refusalOf(parse(event))).toEqual({ code: "event_invalid", pointers: [pointer] });
  });

  it("[WIRE-7] has each member once", () => {
    const body = '{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"a"}';
    expect(refusalOf(parseStructured(body, DEFAULTS))).toEqual({ code: "event_invalid", pointers: ["/id"] });
    expect(refusalOf(parseStructured("[]", DEFAULTS))).toEqual({ code: "event_invalid", pointers: [""] });
    expect(refusalOf(parseStructured("{", DEFAULTS)).code).toBe("json_invalid");
  });

  it("[WIRE-10] of the official SDK is read, text, JSON and bytes", () => {
    for (const [datacontenttype, data] of [
      ["application/json", { a: [1, "é"] }],
      ["text/plain", "héllo"],
      ["application/octet-stream", new Uint8Array([0, 255])],
    ] as const) {
      const sent = new CloudEvent({ ...EVENT, specversion: "1.0", datacontenttype, data, partitionkey: "k" });
      const { headers, body } = HTTP.structured(sent);
      expect(cloudEventMode(headers["content-type"] as string, false)).toEqual({ ok: true, value: "structured" });
      const { event } = lineOf(valueOf(parseStructured(body as string, DEFAULTS)));
      const kept = Object.entries(event).filter(([name]) => !isHubExtension(name));
      expect(Object.fromEntries(kept)).toEqual(JSON.parse(body as string));
    }
  });
});

describe("a batch", () => {
  it("[WIRE-10] is a list of events in their order", () => {
    const body = JSON.stringify([EVENT, { ...EVENT, id: "A-2", data: [1] }]);
    expect(valueOf(parseBatch(body, DEFAULTS)).map((draft) => draft.id)).toEqual(["A-1", "A-2"]);
    expect(valueOf(parseBatch(" [ ] ", DEFAULTS))).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ["{}", "event_invalid", []],
    ["[", "json_invalid", []],
    ["[1]", "event_invalid", ["/0"]],
    [JSON.stringify([EVENT, { ...EVENT, type: "" }]), "event_invalid", ["/1/type"]],
    [JSON.stringify(Array.from({ length: 501 }, () => EVENT)), "body_too_large", []],
  ])("[WIRE-7] %#: is refused whole", (body, code, pointers) => {
    expect(refusalOf(parseBatch(body, DEFAULTS))).toEqual({ code, pointers });
  });

  it("[WIRE-2] may nest each event as deep as one that comes alone", () => {
    const nested = (depth: number) =>
      `{"specversion":"1.0","id":"1","source":"/s","type":"a","data":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    const failure = { code: "json_too_deep", limit: 64, actual: 65 };
    expect(valueOf(parseBatch(`[${nested(64)}]`, DEFAULTS))).toHaveLength(1);
    for (const depth of [65, 66, 100])
      expect(parseBatch(`[${nested(depth)}]`, DEFAULTS)).toEqual({ ok: false, failure });
  });
});
