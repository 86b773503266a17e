import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { parseBinary } from "../../../src/wire/cloudevents/binary.ts";
import { DEFAULTS, lineOf, refusalOf, valueOf } from "../schema.ts";

const HEADERS = {
  "ce-specversion": "1.0",
  "ce-id": "A-1",
  "ce-source": "/shop/eu",
  "ce-type": "com.example.order.created",
};
const encoder = new TextEncoder();

const parse = (headers: Record<string, string>, body: string | Uint8Array = "") =>
  parseBinary(
    Object.entries({ ...HEADERS, ...headers }),
    typeof body === "string" ? encoder.encode(body) : body,
    DEFAULTS,
  );
const event = (headers: Record<string, string>, body?: string | Uint8Array) =>
  lineOf(valueOf(parse(headers, body))).event;

describe("the body of a binary event", () => {
  it("[WIRE-1] is kept token for token when it is JSON", () => {
    const { line } = lineOf(valueOf(parse({ "content-type": "application/json" }, ' { "n" : 1e999, "m": 1.0 } \n')));
    expect(line.endsWith(',"data":{"n":1e999,"m":1.0}}')).toBe(true);
    expect(line).toContain('"datacontenttype":"application/json"');
  });

  it.each([
    ["text/plain", 'héllo \u2028 "x"\n'],
    ["text/xml; charset=utf-8", "<a/>"],
    ["Text/Plain; charset=US-ASCII", "\ufeffa"],
  ])("[WIRE-10] of %s is a string", (contentType, text) => {
    expect(event({ "content-type": contentType }, text)).toMatchObject({ datacontenttype: contentType, data: text });
  });

  it.each([
    ["application/octet-stream", [0, 255, 254]],
    ["text/plain", [0xc3, 0x28]],
    ["text/plain; charset=iso-8859-1", [0xe9]],
    ["image/png", [0x89, 0x50, 0x4e, 0x47]],
    ["application/x-ndjson", [0x31, 0x0a]],
  ])("[WIRE-10] of %s, %j, is base64 of every byte", (contentType, bytes) => {
    const { data_base64: base64, ...rest } = event({ "content-type": contentType }, Uint8Array.from(bytes));
    expect([...Buffer.from(base64 as string, "base64")]).toEqual(bytes);
    expect(rest).not.toHaveProperty("data");
  });

  it("[WIRE-10] without a type is bytes, and an empty one is no data", () => {
    expect(event({}, "a")).toMatchObject({ data_base64: "YQ==" });
    expect(event({})).not.toHaveProperty("data_base64");
    expect(event({ "content-type": "application/json" })).not.toHaveProperty("data");
  });

  it("holds every byte of a large one", () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    expect(Buffer.from(event({}, bytes)["data_base64"] as string, "base64").equals(bytes)).toBe(true);
  });

  it.each<[string, Uint8Array]>([
    ["json_invalid", encoder.encode("{")],
    ["json_invalid", encoder.encode("\ufeff{}")],
    ["encoding_invalid", Uint8Array.of(0x22, 0xff, 0x22)],
    ["encoding_invalid", encoder.encode('"\\ud800"')],
    ["json_too_deep", encoder.encode("[".repeat(65) + "]".repeat(65))],
  ])("[WIRE-4] of JSON that is none is refused with %s", (code, body) => {
    expect(refusalOf(parse({ "content-type": "application/vnd.x+json" }, body)).code).toBe(code);
  });

  it("[WIRE-9] counts in the size that it takes as base64", () => {
    expect(parse({}, new Uint8Array(190_000)).ok).toBe(true);
    expect(refusalOf(parse({}, new Uint8Array(200_000))).code).toBe("event_too_large");
  });
});

describe("the headers of a binary event", () => {
  it("[WIRE-10] are decoded once from percent-encoding, and from quotes", () => {
    expect(event({ "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80" })).toMatchObject({ subject: "Euro € 😀" });
    expect(event({ "ce-subject": "%e2%82%ac%2541" })).toMatchObject({ subject: "€%41" });
    expect(event({ "ce-subject": '"a \\"b\\" %41"' })).toMatchObject({ subject: 'a "b" A' });
    expect(event({ "ce-subject": "Ω plain" })).toMatchObject({ subject: "Ω plain" });
  });

  it.each(["%C0%A0", "%", "100%", "%zz", "%ED%A0%80", "%FF", "Latin \ufffd"])(
    "[WIRE-3] %j is refused as encoding_invalid",
    (value) => {
      expect(refusalOf(parse({ "ce-subject": value })).code).toBe("encoding_invalid");
    },
  );

  it("[WIRE-10] make the key and extensions; those of a hub are dropped, and other headers are not the event's", () => {
    const made = event({
      "ce-partitionkey": "k",
      "ce-sequence": "01",
      "ce-offset": "99",
      "ce-topic": "x",
      "x-other": "y",
      authorization: "z",
    });
    expect(made).toMatchObject({ partitionkey: "k", sequence: "01", offset: 7, topic: "order.created" });
    expect(made).not.toHaveProperty("other");
    expect(JSON.stringify(made)).not.toContain("authorization");
  });

  it.each<[Record<string, string>, string[]]>([
    [{ "ce-specversion": "0.3" }, ["/specversion"]],
    [{ "ce-id": "" }, ["/id"]],
    [{ "ce-time": "now" }, ["/time"]],
    [{ "ce-datacontenttype": "text/plain" }, ["/datacontenttype"]],
    [{ "content-type": "nonsense" }, ["/datacontenttype"]],
    [{ "ce-my-ext": "a" }, ["/my-ext"]],
    [{ "ce-data": "a" }, ["/data"]],
    [{ "ce-subject": "%00" }, ["/subject"]],
    [{ "ce-type": "%0A", "ce-source": "" }, ["/source", "/type"]],
  ])("[WIRE-7] %j is refused at %j", (headers, pointers) => {
    expect(refusalOf(parse(headers)).pointers.toSorted()).toEqual(pointers);
  });

  it("[WIRE-7] name what is missing", () => {
    expect(refusalOf(parseBinary([], new Uint8Array(), DEFAULTS))).toEqual({
      code: "event_invalid",
      pointers: ["/specversion", "/id", "/source", "/type"],
    });
  });

  it("[WIRE-10] of the official SDK are read, text, JSON and bytes", () => {
    for (const [datacontenttype, data, expected] of [
      ["application/json", { a: [1, "é"] }, { data: { a: [1, "é"] } }],
      ["text/plain", "héllo", { data: "héllo" }],
      ["application/octet-stream", new Uint8Array([0, 255]), { data_base64: "AP8=" }],
    ] as const) {
      const attributes = { type: "com.x", source: "/s", id: "1", partitionkey: "k", subject: "s" };
      const sent = new CloudEvent({ ...attributes, datacontenttype, data });
      const { headers, body } = HTTP.binary(sent);
      const bytes = typeof body === "string" ? encoder.encode(body) : (body as Uint8Array);
      const draft = valueOf(parseBinary(Object.entries(headers as Record<string, string>), bytes, DEFAULTS));
      expect(lineOf(draft).event).toMatchObject({
        id: "1",
        source: "/s",
        type: "com.x",
        partitionkey: "k",
        subject: "s",
        time: sent.time,
        ...expected,
      });
    }
  });
});
