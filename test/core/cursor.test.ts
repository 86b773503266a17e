import { describe, expect, it } from "vitest";
import { formatCursor, formatPartitionCursor, parseCursor, partitionCursors } from "../../src/core/cursor.ts";
import { seededRandom } from "../harness/random.ts";
import { SEED } from "../wire/random-json.ts";

const EPOCH = 1_795_000_000_123;
const bytes = (...values: number[]): string => Buffer.from(values).toString("base64url");

describe("formatCursor and parseCursor", () => {
  it(`[CUR-1] give back every cursor, in one spelling (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 2_000; round += 1) {
      const offsets = new Map<number, number>();
      const count = Math.floor(random() * 65);
      for (let index = 0; index < count; index += 1) {
        offsets.set(Math.floor(random() * 64), Math.floor(2 ** (random() * 53)));
      }
      const cursor = { epoch: Math.floor(2 ** (random() * 53)), offsets };
      const text = formatCursor(cursor);
      expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(parseCursor(text)).toEqual(cursor);
      expect(formatCursor({ ...cursor, offsets: new Map([...offsets].toReversed()) })).toBe(text);
    }
  });

  it(`[CUR-1] spell a position the same alone and among many (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < 200; round += 1) {
      const [epoch, partition] = [Math.floor(2 ** (random() * 53)), Math.floor(random() * 64)];
      const cursorAfter = partitionCursors(epoch, partition);
      for (const scale of [0, 7, 14, 21, 28, 40, 53]) {
        const offset = Math.floor(2 ** (random() * scale));
        expect(cursorAfter(offset)).toBe(formatCursor({ epoch, offsets: new Map([[partition, offset]]) }));
      }
    }
  });

  it("[CUR-1] hold 64 partitions at the greatest offsets", () => {
    const offsets = new Map(Array.from({ length: 64 }, (_, partition) => [partition, Number.MAX_SAFE_INTEGER]));
    const cursor = { epoch: Number.MAX_SAFE_INTEGER, offsets };
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
  });

  it("[CUR-1] keep the cursor of an event short", () => {
    expect(formatPartitionCursor(EPOCH, 0, 123_456).length).toBeLessThan(20);
  });
});

describe("parseCursor", () => {
  const good = formatPartitionCursor(EPOCH, 3, 70_000);

  it("[CUR-2] refuses every text that differs in one character, or means another place", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let index = 0; index < good.length; index += 1) {
      for (const char of alphabet) {
        const text = good.slice(0, index) + char + good.slice(index + 1);
        const parsed = parseCursor(text);
        if (parsed !== null) expect(formatCursor(parsed)).toBe(text);
      }
    }
  });

  it.each([
    ["nothing", ""],
    ["a word", "hello"],
    ["another alphabet", "AQ=="],
    ["a space", `${good} `],
    ["its end missing", good.slice(0, -3)],
    ["something behind it", `${good}AA`],
    ["another format", `Ag${good.slice(2)}`],
    ["no epoch", "AQ"],
    ["an overlong number", "AYCAgICAgICAgICAgIAB"],
    ["a partition that cannot be", formatPartitionCursor(EPOCH, 64, 1)],
    ["a megabyte", "A".repeat(1_000_000)],
    ["a number with a leading zero byte", "AYEAAAE"],
  ])("[CUR-2] refuses %s", (_what, text) => {
    expect(parseCursor(text)).toBeNull();
  });

  it("[CUR-2] refuses a partition that stands twice, or out of order", () => {
    expect(parseCursor(bytes(1, 5, 0, 1, 1, 1))).toEqual({
      epoch: 5,
      offsets: new Map([
        [0, 1],
        [1, 1],
      ]),
    });
    expect(parseCursor(bytes(1, 5, 1, 1, 0, 1))).toBeNull();
    expect(parseCursor(bytes(1, 5, 0, 1, 0, 2))).toBeNull();
  });
});
