import { describe, expect, it } from "vitest";
import { LineSplitter, type Line } from "../../../src/wire/ndjson/lines.ts";
import { seededRandom } from "../../harness/random.ts";
import { pick, SEED } from "../random-json.ts";

const PIECES = ["a", "é", "\n", "\r\n", " ", "😀"];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function split(bytesMax: number, ...chunks: readonly (string | Uint8Array)[]): Line[] {
  const splitter = new LineSplitter(bytesMax);
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? encode(chunk) : chunk));
  return [...bytes.flatMap((chunk) => splitter.feed(chunk)), ...splitter.end()];
}

const textsOf = (lines: readonly Line[]): string[] =>
  lines.map((line) => (line.kind === "line" ? line.text : line.kind === "too_long" ? "too long" : "not UTF-8"));

describe("LineSplitter", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["whole lines", ["a\nb\n"], ["a", "b"]],
    ["a last line without its end", ["a\nb"], ["a", "b"]],
    ["CRLF", ["a\r\nb\r\n"], ["a", "b"]],
    ["a CRLF that two chunks share", ["a\r", "\nb"], ["a", "b"]],
    ["blank lines", ["\n\r\n  \na\n\n", "\t\n"], ["a"]],
    ["a line in many chunks", ["a", "", "b", "c\nd"], ["abc", "d"]],
    ["nothing", [], []],
    ["a last CR", ["a\r"], ["a"]],
    ["spaces around a line", [" a \n"], [" a "]],
  ])("[WIRE-8] takes %s", (_what, chunks, texts) => {
    expect(textsOf(split(100, ...chunks))).toEqual(texts);
  });

  it("[WIRE-8] reports a line over the limit once, skips it to its end and goes on", () => {
    expect(split(3, "abc\nabcd\nxyz")).toEqual([
      { kind: "line", text: "abc" },
      { kind: "too_long", limit: 3, actual: 4 },
      { kind: "line", text: "xyz" },
    ]);
    expect(textsOf(split(3, "abcd", "efgh", "ijkl\nx\n", "12345678"))).toEqual(["too long", "x", "too long"]);
    expect(textsOf(split(3, "abc\r\nabcd\r\n"))).toEqual(["abc", "too long"]);
  });

  it("[WIRE-8] counts bytes", () => {
    expect(textsOf(split(4, "éé\nééé\n😀\n😀a"))).toEqual(["éé", "too long", "😀", "too long"]);
  });

  it("[WIRE-8] reports a line that never ends as soon as it is over, and lets go of it", () => {
    const splitter = new LineSplitter(10);
    expect(splitter.feed(encode("a".repeat(11)))).toEqual([]); // The eleventh might still be the CR's neighbour.
    expect(splitter.feed(encode("a"))).toEqual([{ kind: "too_long", limit: 10, actual: 12 }]);
    expect(splitter.feed(encode("a".repeat(1_000_000)))).toEqual([]);
    expect(splitter.end()).toEqual([]);
  });

  it.each<[string, readonly number[]]>([
    ["a byte that never occurs", [0xff]],
    ["an overlong form", [0xc0, 0xaf]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a character that is cut by its line's end", [0xe2, 0x82]],
    ["the rest of a character", [0x82, 0xac]],
  ])("[WIRE-13] reports %s for its own line alone", (_what, bad) => {
    const bytes = Uint8Array.from([...encode("é\n"), ...bad, ...encode("\n😀\n"), ...bad]);
    expect(textsOf(split(100, bytes))).toEqual(["é", "not UTF-8", "😀", "not UTF-8"]);
    const singly = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(textsOf(split(100, ...singly))).toEqual(["é", "not UTF-8", "😀", "not UTF-8"]);
  });

  it(`[WIRE-8] gives the same lines however the text is cut (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 1_000; round += 1) {
      const text = Array.from({ length: Math.floor(random() * 60) }, () => pick(random, PIECES)).join("");
      const bytes = encode(text);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + Math.floor(random() * 9);
        chunks.push(bytes.subarray(at, end));
        at = end;
      }
      expect(textsOf(split(12, ...chunks))).toEqual(textsOf(split(12, text)));
      const held = text.split(/\r?\n/).filter((line) => line.trim() !== "");
      const expected = held.map((line) => (Buffer.byteLength(line) > 12 ? "too long" : line));
      expect(textsOf(split(12, text))).toEqual(expected);
    }
  });
});
