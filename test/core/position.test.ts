import { expect, it } from "vitest";
import { formatPartitionCursor } from "../../src/core/cursor.ts";
import { parsePosition } from "../../src/core/position.ts";

const CURSOR = formatPartitionCursor(1_795_000_000_000, 0, 7);

it.each([
  ["earliest", { kind: "earliest" }],
  ["latest", { kind: "latest" }],
  ["offset:1", { kind: "offset", offset: 1 }],
  ["offset:9007199254740991", { kind: "offset", offset: 9_007_199_254_740_991 }],
  ["time:1970-01-01T00:00:01Z", { kind: "time", at: 1_000 }],
  [`cursor:${CURSOR}`, { kind: "cursor", cursor: { epoch: 1_795_000_000_000, offsets: new Map([[0, 7]]) } }],
])("[CUR-3] %s is a position", (text, position) => {
  expect(parsePosition(text)).toEqual({ ok: true, value: position });
});

it.each([
  "",
  "first",
  "LATEST",
  "offset:0",
  "offset:-1",
  "offset:1.0",
  "offset:1e3",
  "offset:",
  "offset: 1",
  "offset:9007199254740992",
  "offset:99999999999999999",
  "offset",
  "time:",
  "time:yesterday",
  "time:0",
  "earliest ",
  "latest\n",
  "key:1",
])("[CUR-3] %j is refused as parameter_invalid", (text) => {
  expect(parsePosition(text)).toMatchObject({ ok: false, failure: { code: "parameter_invalid" } });
});

it.each(["cursor:", "cursor:x", `cursor:${CURSOR}x`, `cursor: ${CURSOR}`, "cursor:\n"])(
  "[CUR-3] %j is refused as cursor_invalid",
  (text) => {
    expect(parsePosition(text)).toMatchObject({ ok: false, failure: { code: "cursor_invalid" } });
  },
);
