import { describe, expect, it } from "vitest";
import { elements, members, minify, parseJson, scanJson, stringOf } from "../../src/core/json-text.ts";
import { seededRandom } from "../harness/random.ts";
import { randomJson, SEED } from "../wire/random-json.ts";

const LIMITS = { depthMax: 64, keysMax: 10_000 };
const ROUNDS = 3_000;

describe("random JSON", () => {
  it(`[WIRE-1] is minified without changing a token (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { text, tight } = randomJson(random, 4, round % 2 === 0 ? 0.5 : 0);
      expect(minify(text)).toBe(tight);
      expect(minify(text)).not.toMatch(/[\n\r]/);
    }
  });

  it(`is cut into the members and elements that JSON.parse sees (seed ${SEED})`, () => {
    const random = seededRandom(SEED + 1);
    let cut = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { text } = randomJson(random, 3, 0.4);
      const value = JSON.parse(text) as unknown;
      if (Array.isArray(value)) {
        expect(elements(text).map((raw) => JSON.parse(raw) as unknown)).toEqual(value);
        cut += 1;
      } else if (typeof value === "object" && value !== null) {
        const pairs = members(text).map(({ name, raw }) => [name, JSON.parse(raw) as unknown] as const);
        expect(Object.fromEntries(pairs)).toEqual(value);
        cut += 1;
      } else if (typeof value === "string") expect(stringOf(text)).toBe(value);
    }
    expect(cut).toBeGreaterThan(ROUNDS / 4);
  });

  it(`is counted: its members, its levels (seed ${SEED})`, () => {
    const random = seededRandom(SEED + 2);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { text, tight, keys, depth } = randomJson(random, 4, 0.3);
      expect(scanJson(text, LIMITS)).toEqual({ ok: true, value: { keys, depth, spaced: text !== tight } });
      expect(scanJson(text, { ...LIMITS, depthMax: depth }).ok).toBe(true);
      if (depth > 0) {
        const failure = { code: "json_too_deep", limit: depth - 1, actual: depth };
        expect(scanJson(text, { ...LIMITS, depthMax: depth - 1 })).toEqual({ ok: false, failure });
      }
    }
  });

  it(`is measured to an end when it is broken anywhere (seed ${SEED})`, () => {
    const random = seededRandom(SEED + 3);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { text } = randomJson(random, 3, 0.2);
      const broken = text.slice(0, Math.floor(random() * text.length)) + text.slice(Math.floor(random() * text.length));
      const parsed = parseJson(broken, LIMITS);
      if (parsed.ok) expect(parsed.value.value).toEqual(JSON.parse(broken));
      else expect(["json_invalid", "encoding_invalid"]).toContain(parsed.failure.code);
    }
  });
});

const objectWith = (keys: number): string => `{${Array.from({ length: keys }, (_, key) => `"${key}":0`).join(",")}}`;

describe("limits", () => {
  it("[WIRE-2] refuses the first level too many, however many follow", () => {
    const failure = { code: "json_too_deep", limit: 64, actual: 65 };
    expect(scanJson("[".repeat(64) + "]".repeat(64), LIMITS).ok).toBe(true);
    expect(scanJson("[".repeat(65) + "]".repeat(65), LIMITS)).toEqual({ ok: false, failure });
    expect(scanJson("[".repeat(500_000), LIMITS)).toEqual({ ok: false, failure });
  });

  it("[WIRE-2] refuses more members than the limit", () => {
    expect(scanJson(objectWith(10_000), LIMITS).ok).toBe(true);
    expect(scanJson(objectWith(10_001), LIMITS)).toEqual({
      ok: false,
      failure: { code: "json_too_many_keys", limit: 10_000, actual: 10_001 },
    });
  });

  it("reads a megabyte of backslashes and quotes in linear time", () => {
    const text = `"${'\\\\\\"'.repeat(250_000)}"`;
    const startedAt = performance.now();
    expect(parseJson(text, LIMITS).ok).toBe(true);
    expect(minify(text)).toBe(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe("lone surrogates", () => {
  it.each([
    String.raw`"\ud800"`,
    String.raw`"\udc00"`,
    String.raw`"\ud800\ud800"`,
    String.raw`"\ude00\ud83d"`,
    String.raw`"\ud83dx\ude00"`,
    String.raw`{"\ud800":1}`,
    String.raw`["ok",{"a":"\\\ud800"}]`,
    String.raw`"\uD83D"`,
    `"\ud800"`,
    `{"a":"\udfff"}`,
    `"\ud83d` + String.raw`\ude00"`,
  ])("[WIRE-3] refuses %j", (text) => {
    expect(scanJson(text, LIMITS)).toEqual({ ok: false, failure: { code: "encoding_invalid" } });
  });

  it.each([
    String.raw`"\ud83d\ude00"`,
    String.raw`"\\ud800"`,
    String.raw`"\\\\udc00"`,
    `"😀"`,
    String.raw`"\ud83d\ude00\ud83d\ude00"`,
    String.raw`"\u0000\uffff\ue000"`,
    '"\u2028"',
  ])("takes %j, which holds none", (text) => {
    expect(scanJson(text, LIMITS).ok).toBe(true);
  });
});

describe("what is not JSON", () => {
  it.each([
    "",
    " ",
    "{",
    "[1,]",
    "{'a':1}",
    "NaN",
    '{"a":1}}',
    "\ufeff{}",
    "[1 2]",
    '"\n"',
    '"\t"',
    "01",
    "1.",
    "tru",
    '"a',
    '"\\',
    "undefined",
    '{"a" 1}',
    '{"a":}',
    "/**/1",
    "\u00a01",
  ])("[WIRE-4] %j is refused as json_invalid", (text) => {
    expect(parseJson(text, LIMITS)).toEqual({ ok: false, failure: { code: "json_invalid" } });
  });

  it("[WIRE-4] is not echoed in the refusal", () => {
    expect(JSON.stringify(parseJson('{"secret":"whsec_1" x', LIMITS))).not.toContain("whsec");
  });
});

it("shows members that stand twice, and names behind escapes", () => {
  expect(members(String.raw` { "a" : 1.0 , "\u0061":[1, 2] ,"b\"":"x" } `)).toEqual([
    { name: "a", raw: "1.0" },
    { name: "a", raw: "[1, 2]" },
    { name: 'b"', raw: '"x"' },
  ]);
  expect(members("{}")).toEqual([]);
  expect(elements(" [ ] ")).toEqual([]);
});
