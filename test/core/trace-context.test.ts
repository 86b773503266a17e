import { describe, expect, it } from "vitest";
import { beginTrace, parseTraceContext, traceIdIn, traceIdsOf, traceOfLine } from "../../src/core/trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const GOOD = `00-${TRACE}-${SPAN}-01`;

const parentOf = (text: string): string | null => parseTraceContext(text, null)?.traceparent ?? null;
const stateOf = (text: string): string | null => parseTraceContext(GOOD, text)!.tracestate;

describe("[TRC-1] a traceparent", () => {
  it.each([GOOD, `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-ff`, `00-${"0".repeat(31)}1-${"0".repeat(15)}1-09`])(
    "of version 00 stays as it is: %s",
    (text) => expect(parentOf(text)).toBe(text),
  );

  it.each([
    ["nothing", ""],
    ["no version", `${TRACE}-${SPAN}-01`],
    ["a version of one digit", `0-${TRACE}-${SPAN}-01`],
    ["a version of three", `000-${TRACE}-${SPAN}-01`],
    ["a version of other characters", `.0-${TRACE}-${SPAN}-01`],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["an all-zero trace", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["an all-zero span", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["capitals in the trace", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["capitals in the span", `00-${TRACE}-${SPAN.toUpperCase()}-01`],
    ["a trace too short", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["a trace too long", `00-${TRACE}0-${SPAN}-01`],
    ["a span too short", `00-${TRACE}-${SPAN.slice(1)}-01`],
    ["a span too long", `00-${TRACE}-${SPAN}0-01`],
    ["flags of one digit", `00-${TRACE}-${SPAN}-1`],
    ["flags of three", `00-${TRACE}-${SPAN}-001`],
    ["flags of other characters", `00-${TRACE}-${SPAN}-.0`],
    ["no flags", `00-${TRACE}-${SPAN}`],
    ["more in version 00", `00-${TRACE}-${SPAN}-01-what`],
    ["an end in version 00", `00-${TRACE}-${SPAN}-01-`],
    ["more behind a later version without a dash", `cc-${TRACE}-${SPAN}-01.what`],
    ["two, joined", `${GOOD}, ${GOOD}`],
    ["two of a later version, joined", `cc-${TRACE}-${SPAN}-01-x, ${GOOD}`],
    ["underscores", GOOD.replaceAll("-", "_")],
    ["a line break", `${GOOD}\n`],
  ])("cannot be read with %s, and nobody looks at its tracestate", (_what, text) => {
    expect(parseTraceContext(text, "a=1")).toBeNull();
  });

  it("of a later version is taken as far as version 00 goes: its ids, and whether it is sampled", () => {
    expect(parentOf(`cc-${TRACE}-${SPAN}-01`)).toBe(GOOD);
    expect(parentOf(`01-${TRACE}-${SPAN}-ff-what-the-future-will-be-like`)).toBe(GOOD);
    expect(parentOf(`fe-${TRACE}-${SPAN}-02-`)).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  it("that begins a trace can be read", () => {
    const random = Uint8Array.from({ length: 24 }, (_, index) => index * 7 + 1);
    for (const isSampled of [true, false]) {
      const begun = beginTrace(random, isSampled);
      expect(parseTraceContext(begun.traceparent, null)).toEqual(begun);
      expect(traceIdsOf(begun.traceparent).isSampled).toBe(isSampled);
    }
    expect(traceIdsOf(GOOD)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
  });
});

describe("[TRC-2] a tracestate", () => {
  const members = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");

  it("keeps its members in their order, without what stands between them", () => {
    expect(stateOf("foo=1 \t , \t bar=2, \t baz=3,,")).toBe("foo=1,bar=2,baz=3");
    expect(stateOf(`0123456789_-*/@abc-_*/z=${"v".repeat(200)}`)).toContain("@abc");
    expect(stateOf("a= 1")).toBe("a= 1");
    expect(stateOf(`${"a".repeat(256)}=1`)).toHaveLength(258);
    expect(stateOf("")).toBeNull();
    expect(stateOf(" , ,")).toBeNull();
  });

  it.each([
    "foo@=1",
    "@foo=1",
    "foo@@bar=1",
    "foo@bar@baz=1",
    "foo bar=1",
    "FOO=1",
    "foo.bar=1",
    "0foo=1",
    "foo=bar=baz",
    "foo",
    "=1",
    "foo=",
    "foo=,bar=3",
    "foo=é",
    `${"a".repeat(257)}=1`,
    `${"t".repeat(242)}@v=1`,
    `t@${"v".repeat(15)}=1`,
    `foo=${"v".repeat(257)}`,
  ])("is dropped whole where a member is malformed, and the traceparent stays: %s", (text) => {
    expect(stateOf(`${text},good=1`)).toBeNull();
  });

  it("has at most 32 members", () => {
    expect(stateOf(members(32))).toBe(members(32));
    expect(stateOf(members(33))).toBeNull();
  });

  it("keeps of two members with one key the newer", () => {
    expect(stateOf("foo=1,bar=2,foo=3")).toBe("foo=1,bar=2");
  });

  it("has at most 512 characters: its long members go first, then its oldest, never a part of one", () => {
    const long = (key: string): string => `${key}=${"v".repeat(127 - key.length + 1)}`; // 129 characters
    const fits = `a=${"v".repeat(250)},b=${"v".repeat(257 - 1)}`;
    expect(fits).toHaveLength(511);
    expect(stateOf(fits)).toBe(fits);
    const short = Array.from({ length: 8 }, (_, index) => `s${index}=${"v".repeat(57)}`); // 60 characters each
    expect(stateOf([long("l"), ...short].join(","))).toBe(short.join(","));
    const nine = [...short, `s8=${"v".repeat(57)}`];
    expect(stateOf(nine.join(","))).toBe(short.join(","));
  });
});

it("an event's trace is read from its line, and not from its payload", () => {
  const line = (event: object): string => JSON.stringify(event);
  expect(traceOfLine(line({ traceparent: GOOD, tracestate: "a=1" }))).toEqual({ traceparent: GOOD, tracestate: "a=1" });
  expect(traceOfLine(line({ data: { traceparent: GOOD } }))).toBeNull();
  expect(traceOfLine(line({ traceparent: 7 }))).toBeNull();
});

it("[OPS-6] the id of an event's trace is read from its attribute, and from nothing in its data", () => {
  const place = `,"topic":"t","partition":0,"offset":1,"appendedat":"2026-01-01T00:00:00.000Z"`;
  const data = `,"data":{"a":1,"traceparent":"00-${"a".repeat(32)}-${SPAN}-01"}}`;
  expect(traceIdIn(`{"id":"1","traceparent":"${GOOD}"${place}${data}`)).toBe(TRACE);
  expect(traceIdIn(`{"id":"1"${place}${data}`)).toBe(null);
});
