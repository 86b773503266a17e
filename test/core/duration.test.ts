import { expect, it } from "vitest";
import { formatDuration, parseDurationMs } from "../../src/core/duration.ts";

it.each([
  ["0s", 0],
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  ["007s", 7_000],
])("%s is %i ms", (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});

it.each([
  "",
  "5",
  "5 s",
  "-5s",
  "1.5s",
  "5S",
  "s",
  "1h30m",
  "5s\n",
  " 5s",
  "1e3s",
  "9999999999s",
  "٣s",
  5,
  null,
  undefined,
  ["5s"],
  {},
])("%j is no duration", (text) => {
  expect(parseDurationMs(text)).toBeNull();
});

it.each([
  [0, "0ms"],
  [1, "1ms"],
  [1_500, "1500ms"],
  [60_000, "1m"],
  [90_000, "90s"],
  [86_400_000, "1d"],
  [90_000_000, "25h"],
])("%i ms is written %s, and read again", (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
  expect(parseDurationMs(text)).toBe(durationMs);
});
