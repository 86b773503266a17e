import { HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { parseBinary } from "../../../src/wire/cloudevents/binary.ts";
import { formatBinary } from "../../../src/wire/cloudevents/format-binary.ts";
import { parseStructured } from "../../../src/wire/cloudevents/structured.ts";
import { seededRandom } from "../../harness/random.ts";
import { pick, randomJson, SEED } from "../random-json.ts";
import { DEFAULTS, lineOf, valueOf } from "../schema.ts";

const EVENT = { specversion: "1.0", id: "A-1", source: "/shop/eu", type: "com.example.order.created" };

/** The line that a log keeps of it. */
const kept = (event: object): string => lineOf(valueOf(parseStructured(JSON.stringify(event), DEFAULTS))).line;

const bytesOf = (body: string | Uint8Array | null): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array());

describe("an event in binary form", () => {
  it("[WIRE-15] has its attributes in headers, encoded as the binding says, and its data as the body", () => {
    const note = 'Euro € 😀 "100%"';
    const { headers, body } = formatBinary(kept({ ...EVENT, note, flag: true, count: -7, data: { a: 1 } }));
    expect(headers).toMatchObject({
      "ce-specversion": "1.0",
      "ce-id": "A-1",
      "ce-source": "/shop/eu",
      "ce-type": "com.example.order.created",
      "ce-note": "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22",
      "ce-flag": "true",
      "ce-count": "-7",
      "ce-offset": "7",
      "content-type": "application/json",
    });
    expect(Object.keys(headers)).not.toContain("ce-datacontenttype");
    expect(body).toBe('{"a":1}');
  });

  it.each<[string, object, string | Uint8Array | null, string | undefined]>([
    ["JSON text to the character", { data: 1.5 }, "1.5", "application/json"],
    ["a string that is JSON", { data: "a" }, '"a"', "application/json"],
    ["null, which is data", { data: null }, "null", "application/json"],
    ["text", { datacontenttype: "text/plain", data: 'é "x"' }, 'é "x"', "text/plain"],
    ["bytes", { datacontenttype: "image/png", data_base64: "AP/+" }, new Uint8Array([0, 255, 254]), "image/png"],
    ["bytes without a type", { data_base64: "AA==" }, new Uint8Array([0]), undefined],
    ["nothing", {}, null, undefined],
  ])("[WIRE-15] carries %s", (_name, more, body, contentType) => {
    const formatted = formatBinary(kept({ ...EVENT, ...more }));
    expect(formatted.body).toEqual(body);
    expect(formatted.headers["content-type"]).toBe(contentType);
  });

  it("[WIRE-15] is read by the official SDK", () => {
    const { headers, body } = formatBinary(kept({ ...EVENT, subject: "42", data: { a: [1, "é"] } }));
    const event = HTTP.toEvent({ headers: { ...headers }, body }) as { data: unknown; subject: string; type: string };
    expect(event).toMatchObject({ data: { a: [1, "é"] }, subject: "42", type: EVENT.type });
  });

  it(`[WIRE-15] is read back as the same event, by chance (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const texts = ["a", "é", "%41", "%", '"', '"quoted"', "a b", "😀", "\\", "日本", ",;=", "\u00a0", "~"];
    for (let round = 0; round < 500; round += 1) {
      const subject = Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(random, texts)).join("");
      const event = { ...EVENT, subject, note: pick(random, texts), partitionkey: pick(random, texts) };
      const text = `${JSON.stringify(event).slice(0, -1)},"data":${randomJson(random, 3, 0).text}}`;
      const draft = valueOf(parseStructured(text, DEFAULTS));
      const { headers, body } = formatBinary(lineOf(draft).line);
      const again = valueOf(parseBinary(Object.entries(headers), bytesOf(body), DEFAULTS));
      const withoutTime = ({ time: _time, ...rest }: typeof draft) => rest;
      expect(withoutTime(again)).toEqual(withoutTime({ ...draft }));
    }
  });
});
