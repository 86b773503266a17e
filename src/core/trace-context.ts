/**
 * W3C Trace Context (Level 1): which trace an event belongs to. The hub takes no span's place in it: what it was given
 * is what every target and every reader sees, so the trace goes on from the producer's span.
 */
import { LIMITS } from "./limits.ts";

export interface TraceContext {
  /** Of version 00. */
  readonly traceparent: string;
  /** Null: there is none, or none that could be read. */
  readonly tracestate: string | null;
}

/** What a request belongs to. */
export interface RequestTrace {
  readonly context: TraceContext;
  /** It begins there: its first span is the hub's. */
  readonly isOurs: boolean;
}

export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const PARSED = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/**
 * §4.2: null for a traceparent that cannot be read, among them several in one header (joined with commas), and then
 * nobody looks at the tracestate. A later version is taken as far as this one goes (§3.2.4).
 */
export function parseTraceContext(traceparent: string | null, tracestate: string | null): TraceContext | null {
  const match = traceparent === null ? null : PARSED.exec(traceparent);
  if (match === null) return null;
  const [, version, traceId, spanId, flags, more] = match;
  if (version === "ff" || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  if (version === "00" && more !== undefined) return null;
  const known = version === "00" ? flags : formatFlags((Number.parseInt(flags!, 16) & SAMPLED) !== 0);
  return {
    traceparent: `00-${traceId}-${spanId}-${known}`,
    tracestate: tracestate === null ? null : parseTracestate(tracestate),
  };
}

/** Of a traceparent that was parsed before. */
export function traceIdsOf(traceparent: string): TraceIds {
  const [, traceId, spanId, flags] = traceparent.split("-");
  return { traceId: traceId!, spanId: spanId!, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) !== 0 };
}

/** `random`: 24 bytes of chance, of which no 16 and no 8 in a row are zero in this universe. */
export function beginTrace(random: Uint8Array, isSampled: boolean): TraceContext {
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const traceparent = `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${formatFlags(isSampled)}`;
  return { traceparent, tracestate: null };
}

/** The trace of an event by its line. Most have none, and are not parsed for it. */
export function traceOfLine(line: string): TraceContext | null {
  if (!line.includes(`"traceparent":`)) return null;
  const { traceparent, tracestate } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  return parseTraceContext(textOf(traceparent), textOf(tracestate));
}

const IN_LINE = ',"traceparent":"00-';
const BEHIND_ATTRIBUTES = ',"appendedat":"';

/** Its id alone, by where it stands in an event's line: cheap enough for every event that a log takes. */
export function traceIdIn(line: string): string | null {
  const at = line.indexOf(IN_LINE);
  if (at === -1 || at > line.indexOf(BEHIND_ATTRIBUTES)) return null; // Else it stands in the data.
  const from = at + IN_LINE.length;
  return line.slice(from, from + NO_TRACE.length);
}

const SAMPLED = 1;
const formatFlags = (isSampled: boolean): string => (isSampled ? "01" : "00");
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** §3.3: null when a member is malformed or there are too many; of two with one key the newer, on the left, stays. */
function parseTracestate(text: string): string | null {
  const members = new Map<string, string>();
  for (const part of text.split(",")) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (member === "") continue;
    const equals = member.indexOf("=");
    const [key, value] = [member.slice(0, equals), member.slice(equals + 1)];
    if (equals < 1 || !KEY.test(key) || !VALUE.test(value)) return null;
    if (!members.has(key)) members.set(key, member);
    if (members.size > LIMITS.TRACESTATE_MEMBERS_MAX) return null;
  }
  return shorten([...members.values()]);
}

const LONG_MEMBER_CHARS = 128;

/** §3.3.1.5: what is too long loses its long members first, then its oldest, on the right. Never a part of one. */
function shorten(members: readonly string[]): string | null {
  const kept = [...members];
  const charsOf = (): number => kept.join(",").length;
  for (let at = kept.length - 1; at >= 0 && charsOf() > LIMITS.TRACESTATE_CHARS_MAX; at -= 1) {
    if (kept[at]!.length > LONG_MEMBER_CHARS) kept.splice(at, 1);
  }
  while (charsOf() > LIMITS.TRACESTATE_CHARS_MAX) kept.pop();
  return kept.length === 0 ? null : kept.join(",");
}
