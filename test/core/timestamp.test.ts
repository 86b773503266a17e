import Ajv from "ajv";
import addFormats from "ajv-formats";
import { expect, it } from "vitest";
import { parseTimestampMs } from "../../src/core/timestamp.ts";
import { seededRandom } from "../harness/random.ts";
import { SEED } from "../wire/random-json.ts";

it.each([
  ["1970-01-01T00:00:00Z", 0],
  ["1970-01-01t00:00:00.5z", 500],
  ["1970-01-01T01:00:00+01:00", 0],
  ["2024-02-29T12:00:00.123456789-05:30", Date.parse("2024-02-29T17:30:00.123Z")],
  ["0000-02-29T00:00:00Z", Date.parse("0000-02-29T00:00:00Z")],
])("%s is a time", (text, at) => {
  expect(parseTimestampMs(text)).toBe(at);
});

it.each([
  "",
  "2026-01-01",
  "2026-01-01 00:00:00Z",
  "2026-01-01T00:00:00",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:60:00Z",
  "2026-01-01T00:00:60Z",
  "2026-01-01T00:00:00.Z",
  "2026-01-01T00:00:00+24:00",
  "2026-01-01T00:00:00+00:60",
  "2026-01-01T00:00:00+0100",
  "2026-01-01T00:00:00Z\n",
  "1900-02-29T00:00:00Z",
  "+02026-01-01T00:00:00Z",
  "now",
])("%j is none", (text) => {
  expect(parseTimestampMs(text)).toBeNull();
});

it(`takes nothing that the official schema's date-time refuses (seed ${SEED})`, () => {
  const ajv = new Ajv();
  addFormats(ajv);
  const validate = ajv.compile({ type: "string", format: "date-time" });
  const random = seededRandom(SEED);
  const digits = (count: number, max: number): string => String(Math.floor(random() * (max + 1))).padStart(count, "0");
  let taken = 0;
  for (let round = 0; round < 5_000; round += 1) {
    const zone = random() < 0.5 ? "Z" : `${random() < 0.5 ? "+" : "-"}${digits(2, 26)}:${digits(2, 65)}`;
    const time = `${digits(2, 25)}:${digits(2, 61)}:${digits(2, 61)}`;
    const text = `${digits(4, 9_999)}-${digits(2, 13)}-${digits(2, 32)}T${time}${random() < 0.5 ? "" : ".25"}${zone}`;
    if (parseTimestampMs(text) === null) continue;
    taken += 1;
    expect(validate(text), text).toBe(true);
  }
  expect(taken).toBeGreaterThan(1_000);
});
