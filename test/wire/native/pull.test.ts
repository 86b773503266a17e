import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import { formatVerdicts, parsePullReport } from "../../../src/wire/native/pull-report.ts";
import { formatPulled, parsePullRequest } from "../../../src/wire/native/pull-request.ts";
import { refusalOf, valueOf } from "../schema.ts";

const pull = (body: unknown) => parsePullRequest(typeof body === "string" ? body : JSON.stringify(body));
const report = (body: unknown) => parsePullReport(JSON.stringify(body));
const CLAIM = { id: "msg_a_1_1", lease: "1.abc" };

describe("a pull's body", () => {
  it("[PUL-15] has a default for everything, also when it is empty", () => {
    const defaults = { max: 100, leaseMs: 30_000, waitMs: 0 };
    expect([valueOf(pull("")), valueOf(pull({}))]).toEqual([defaults, defaults]);
    expect(valueOf(pull({ max: 1_000, lease: "12h", wait: "30s" }))).toEqual({
      max: 1_000,
      leaseMs: LIMITS.PULL_LEASE_MS_MAX,
      waitMs: 30_000,
    });
  });

  it.each<[unknown, string]>([
    [{ max: 0 }, "/max"],
    [{ max: 1_001 }, "/max"],
    [{ max: "5" }, "/max"],
    [{ lease: "999ms" }, "/lease"],
    [{ lease: "13h" }, "/lease"],
    [{ lease: 30 }, "/lease"],
    [{ wait: "31s" }, "/wait"],
    [{ wait: true }, "/wait"],
    [{ count: 5 }, "/count"],
    [[], ""],
  ])("[PUL-15] %j is refused at %s", (body, pointer) => {
    expect(refusalOf(pull(body))).toEqual({ code: "parameter_invalid", pointers: [pointer] });
  });
});

describe("a worker's report", () => {
  it("[PUL-15] is read whole, and lists may be absent or empty", () => {
    expect(valueOf(report({ acks: [CLAIM] }))).toEqual({ acks: [CLAIM], nacks: [], extends: [] });
    expect(valueOf(report({ acks: [], nacks: [CLAIM, { ...CLAIM, delay: "2s", reason: "busy" }] })).nacks).toEqual([
      { ...CLAIM, delayMs: null, reason: "" },
      { ...CLAIM, delayMs: 2_000, reason: "busy" },
    ]);
    expect(valueOf(report({ extends: [{ ...CLAIM, by: "1m" }] })).extends).toEqual([{ ...CLAIM, byMs: 60_000 }]);
  });

  it.each<[unknown, string]>([
    [{}, ""],
    [{ acks: {} }, "/acks"],
    [{ acks: [7] }, "/acks/0"],
    [{ acks: [{ id: "a" }] }, "/acks/0/lease"],
    [{ acks: [{ ...CLAIM, id: 7 }] }, "/acks/0/id"],
    [{ acks: [{ ...CLAIM, id: "x".repeat(201) }] }, "/acks/0/id"],
    [{ acks: [{ ...CLAIM, delay: "1s" }] }, "/acks/0/delay"],
    [{ nacks: [{ ...CLAIM, delay: "25h" }] }, "/nacks/0/delay"],
    [{ nacks: [{ ...CLAIM, reason: "x".repeat(1_001) }] }, "/nacks/0/reason"],
    [{ extends: [CLAIM] }, "/extends/0/by"],
    [{ extends: [{ ...CLAIM, by: "1ms" }] }, "/extends/0/by"],
    [{ acks: Array.from({ length: 1_001 }, () => CLAIM) }, "/acks"],
    [{ acks: Array.from({ length: 600 }, () => CLAIM), nacks: Array.from({ length: 401 }, () => CLAIM) }, ""],
    [{ skips: [CLAIM] }, "/skips"],
  ])("[PUL-15] %# is refused where it is wrong", (body, pointer) => {
    const { code, pointers } = refusalOf(report(body));
    expect([code, pointers[0]]).toEqual(["parameter_invalid", pointer]);
  });
});

it("[PUL-1] an answer holds each event as the text that it is", () => {
  const line = '{"id":"e","data":12345678901234567890}';
  const held = { ...CLAIM, leaseUntil: 0, attempt: 2, redrive: false, line };
  expect(formatPulled([held, { ...held, redrive: true }])).toBe(
    `{"deliveries":[{"id":"msg_a_1_1","lease":"1.abc","leaseUntil":"1970-01-01T00:00:00.000Z","attempt":2,"event":${line}},` +
      `{"id":"msg_a_1_1","lease":"1.abc","leaseUntil":"1970-01-01T00:00:00.000Z","attempt":2,"redrive":true,"event":${line}}]}`,
  );
  expect(formatPulled([])).toBe('{"deliveries":[]}');
});

it("[PUL-4] verdicts stand in the order of the report", () => {
  const asked = {
    acks: [CLAIM, CLAIM],
    nacks: [],
    extends: [
      { ...CLAIM, byMs: 1 },
      { ...CLAIM, byMs: 1 },
    ],
  };
  const { id } = CLAIM;
  expect(JSON.parse(formatVerdicts(asked, { acks: [true, false], nacks: [], extends: [0, null] }))).toEqual({
    acks: [
      { id, outcome: "acked" },
      { id, outcome: "fenced" },
    ],
    nacks: [],
    extends: [
      { id, outcome: "extended", leaseUntil: "1970-01-01T00:00:00.000Z" },
      { id, outcome: "fenced", leaseUntil: null },
    ],
  });
});
