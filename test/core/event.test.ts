import { describe, expect, it } from "vitest";
import {
  formatEventLine,
  joinBytes,
  joinLines,
  parseEventLine,
  sliceLines,
  splitLines,
  withSeams,
  type EventDraft,
} from "../../src/core/event.ts";
import {
  attributeProblem,
  isBase64,
  isExtensionName,
  isJsonMediaType,
  isUri,
  isUriReference,
} from "../../src/core/event-attributes.ts";
import { lineOf, POSITION } from "../wire/schema.ts";

const draft: EventDraft = {
  id: null,
  source: "/apps/default",
  type: "order.created",
  key: 'a"b',
  time: null,
  attributes: ',"subject":"42"',
  data: ',"data":{"total":1.0}',
  expectedKeyVersion: null,
};

describe("formatEventLine", () => {
  it("[WIRE-6] writes a CloudEvent in one line, the hub's extensions with it and data last", () => {
    const { line } = lineOf(draft);
    expect(line).toBe(
      '{"specversion":"1.0","id":"0192d5b4-0000-7000-8000-000000000000","source":"/apps/default",' +
        '"type":"order.created","time":"2026-11-18T11:06:40.000Z","subject":"42",' +
        '"partitionkey":"a\\"b","topic":"order.created","partition":0,' +
        '"offset":7,"appendedat":"2026-11-18T11:06:40.000Z","keyversion":2,"data":{"total":1.0}}',
    );
  });

  it("leaves out what is not there, and keeps the producer's time as it is", () => {
    const bare = { ...draft, key: null, time: "2026-01-01T00:00:00+01:00", attributes: "", data: "" };
    const { time, ...event } = parseEventLine(
      formatEventLine(bare, "1", { ...POSITION, keyVersion: null }),
    ) as unknown as Record<string, unknown>;
    expect(time).toBe("2026-01-01T00:00:00+01:00");
    expect(Object.keys(event)).toEqual([
      "specversion",
      "id",
      "source",
      "type",
      "topic",
      "partition",
      "offset",
      "appendedat",
    ]);
  });
});

describe("attributes", () => {
  it.each([
    "/apps/default",
    "https://example.com/a?b=c#d",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "mailto:a@b.c",
    "cloudevents/spec/pull/123",
    "1-555-123-4567",
    "php",
    "//host/path",
    "?q",
    "#f",
    "http://[::1]:80/",
    "a/b:c",
    "https://u@h:1/%41",
    "file:///etc",
  ])("%s is a URI reference, and so says the official schema", (source) => {
    expect(isUriReference(source)).toBe(true);
    expect(attributeProblem("source", source)).toBeNull();
    lineOf({ ...draft, source });
  });

  it.each([
    "",
    "a b",
    "é",
    "https://a/{b}",
    "a\\b",
    "<a>",
    "%",
    "%4",
    "%zz",
    "#a#b",
    "http://[zz]/",
    "http://[::1/",
    "1a:b",
    "a|b",
    "http://h:x/",
    "^",
    "`",
    "x:",
  ])("%j is no source", (source) => {
    expect(attributeProblem("source", source)).not.toBeNull();
  });

  it("tells an absolute URI from a relative one", () => {
    expect(["https://a/b", "urn:a:b", "a:b", "file:///x"].every(isUri)).toBe(true);
    expect(["/a", "a/b", "//h/a", "", "#f", "1:2"].some(isUri)).toBe(false);
  });

  it.each([
    ["a control character", "a\u0000"],
    ["a line break", "a\nb"],
    ["DEL", "\u007f"],
    ["a C1 control", "\u0085"],
    ["a noncharacter", "\ufffe"],
    ["one of the block", "\ufdd0"],
    ["one beyond the plane", "\u{1ffff}"],
    ["half a pair", "\ud800"],
  ])("[WIRE-7] no attribute holds %s", (_what, value) => {
    for (const name of ["id", "key", "type", "subject", "anything"]) {
      expect(attributeProblem(name, value)).not.toBeNull();
    }
  });

  it("[WIRE-7] counts ids and keys in bytes and types in characters", () => {
    expect(attributeProblem("id", "é".repeat(128))).toBeNull();
    expect(attributeProblem("id", `${"é".repeat(128)}a`)).not.toBeNull();
    expect(attributeProblem("key", "a".repeat(256))).toBeNull();
    expect(attributeProblem("key", "a".repeat(257))).not.toBeNull();
    expect(attributeProblem("type", "😀".repeat(255))).toBeNull();
    expect(attributeProblem("type", "😀".repeat(256))).not.toBeNull();
    expect(attributeProblem("subject", "a".repeat(4_096))).toBeNull();
    expect(attributeProblem("subject", "a".repeat(4_097))).not.toBeNull();
    const named = ["id", "key", "type", "source", "subject", "time", "dataschema", "datacontenttype"];
    expect(named.filter((name) => attributeProblem(name, "") === null)).toEqual([]);
    expect(attributeProblem("myextension", "")).toBeNull();
  });

  it("knows media types, base64 and the names of extensions", () => {
    const json = ["application/json", "text/json; charset=utf-8", "application/vnd.a+JSON"];
    expect(json.every(isJsonMediaType)).toBe(true);
    expect(["text/plain", "application/jsonl", "json", "application/json-seq"].some(isJsonMediaType)).toBe(false);
    expect(attributeProblem("datacontenttype", "text/plain; charset=utf-8")).toBeNull();
    expect(attributeProblem("datacontenttype", "plain")).not.toBeNull();
    expect(["", "AA==", "AAA=", "AAAA", "+/+/"].every(isBase64)).toBe(true);
    expect(["A", "AA", "AA=", "A===", "AAA-", "AAAA\n", "=AAA", "AA==AAAA"].some(isBase64)).toBe(false);
    expect(["a", "a1", "9", "tracestate"].every(isExtensionName)).toBe(true);
    const others = ["", "A", "a-b", "a_b", "data", "é", "constructor", "__proto__", "a".repeat(65)];
    expect(others.some(isExtensionName)).toBe(false);
  });
});

describe("lines in UTF-8", () => {
  const lines = ['{"n":1}', '{"n":"é😀"}', '{"n":333}', "4", '{"n":"5"}', "6", '{"n":7777}'];
  const body = new TextEncoder().encode(joinLines(lines));
  const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const slice = (skip: number, linesMax: number, bytesMax = 1_000, atLeastOne = true) => {
    const { part, lines: count } = sliceLines(body, lines.length, { skip, linesMax, bytesMax, atLeastOne });
    return { lines: splitLines(textOf(part)), count };
  };

  it("[RD-11] are cut at any line exactly as strings are", () => {
    for (let skip = 0; skip < lines.length; skip += 1) {
      for (let linesMax = 0; linesMax <= lines.length; linesMax += 1) {
        const expected = lines.slice(skip, skip + linesMax);
        expect(slice(skip, linesMax)).toEqual({ lines: expected, count: expected.length });
      }
    }
  });

  it("[RD-11] are cut to a number of bytes, one line at least where the reader must move on", () => {
    expect(slice(0, 4, 7)).toEqual({ lines: [lines[0]], count: 1 });
    expect(slice(0, 4, 8)).toEqual({ lines: [lines[0]], count: 1 });
    expect(slice(0, 4, 7 + 2 + 14)).toEqual({ lines: lines.slice(0, 2), count: 2 });
    expect(slice(1, 4, 1)).toEqual({ lines: [lines[1]], count: 1 });
    expect(slice(1, 4, 1, false)).toEqual({ lines: [], count: 0 });
  });

  it("[RD-11] join to what strings join to", () => {
    const parts = [lines.slice(0, 2), lines.slice(2)].map((part) => new TextEncoder().encode(joinLines(part)));
    expect(textOf(joinBytes(parts))).toBe(joinLines(lines));
    expect(withSeams(parts.map(textOf)).join("")).toBe(joinLines(lines));
    expect(joinBytes([]).byteLength).toBe(0);
  });
});
