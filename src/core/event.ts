/** An event on its way into a log, and the line of JSON that the log keeps and every reader gets. */
import { EXPIRES } from "./expiry.ts";
import type { ExpectedKeyVersion } from "./key-version.ts";

/**
 * What a front door's codec makes of one event: validated, and cut so that the log only has to add what it alone
 * knows. Payloads stay text from the request to the reader, so that no number or character is changed on the way.
 */
export interface EventDraft {
  /** The client's; null lets the log mint a UUIDv7. */
  readonly id: string | null;
  readonly source: string;
  readonly type: string;
  /** CloudEvents `partitionkey`. */
  readonly key: string | null;
  /** RFC 3339; null stands for the time of the append. */
  readonly time: string | null;
  /** The other attributes as JSON members, each with a comma before it: `,"subject":"42","traceparent":"00-…"`. */
  readonly attributes: string;
  /** `,"data":…` or `,"data_base64":"…"`, minified, or the empty string. */
  readonly data: string;
  /** Not to be appended before, milliseconds since 1970; absent: it is appended at once. */
  readonly deliverAt?: number;
  /** So long after its append it may still reach somebody, milliseconds; absent: as long as the log keeps it. */
  readonly ttlMs?: number;
  /** What the producer expects of the key's version; null: it does not care. */
  readonly expectedKeyVersion: ExpectedKeyVersion | null;
  /** Pointer to the event in the request that brought it, for what is found wrong later; absent: the request itself. */
  readonly root?: string;
}

/** What only the log knows, and all events of a flush have in common. */
export interface FlushPlace {
  readonly topic: string;
  readonly partition: number;
  /** RFC 3339. */
  readonly appendedAt: string;
}

/** Offsets count from 1. */
export interface EventPosition extends FlushPlace {
  readonly offset: number;
  readonly keyVersion: number | null;
}

/** The event as a CloudEvent in one line: JSON without raw line breaks. */
export const formatEventLine = (draft: EventDraft, id: string, position: EventPosition): string =>
  lineFormat(position)(draft, id, position.offset, position.keyVersion);

export type LineFormat = (draft: EventDraft, id: string, offset: number, keyVersion: number | null) => string;

/** `formatEventLine` for a flush: what its events have in common is written once. */
export function lineFormat({ topic, partition, appendedAt }: FlushPlace): LineFormat {
  const place = `,"topic":"${topic}","partition":${partition},"offset":`;
  const appended = `,"appendedat":"${appendedAt}"`;
  const quoteSource = quoteLast(); // Most flushes are of one source and one type.
  const quoteType = quoteLast();
  return (draft, id, offset, keyVersion) => {
    const { ttlMs } = draft;
    const key = draft.key === null ? "" : `,"partitionkey":${JSON.stringify(draft.key)}`;
    const version = keyVersion === null ? "" : `,"keyversion":${keyVersion}`;
    const expiry = ttlMs === undefined ? "" : `,"${EXPIRES}":"${laterBy(appendedAt, ttlMs)}"`;
    return (
      `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${quoteSource(draft.source)}` +
      `,"type":${quoteType(draft.type)},"time":"${draft.time ?? appendedAt}"${draft.attributes}${key}` +
      `${place}${offset}${appended}${version}${expiry}${draft.data}}`
    );
  };
}

/** `JSON.stringify` that remembers its last answer. */
function quoteLast(): (text: string) => string {
  let [last, quoted] = ["", '""'];
  return (text) => {
    if (text !== last) [last, quoted] = [text, JSON.stringify(text)];
    return quoted;
  };
}

const laterBy = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();

/** An event that no log holds: the same line without a position. `at` is RFC 3339. */
export function formatRelayedLine(draft: EventDraft, id: string, topic: string, at: string): string {
  const key = draft.key === null ? "" : `,"partitionkey":${JSON.stringify(draft.key)}`;
  return (
    `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${JSON.stringify(draft.source)}` +
    `,"type":${JSON.stringify(draft.type)},"time":"${draft.time ?? at}"${draft.attributes}${key}` +
    `,"topic":"${topic}"${draft.data}}`
  );
}

/**
 * Lines together are the inside of a JSON array with one event a line: a page of them is an answer as it stands. A line
 * holds no raw line break, so the seam is found again.
 */
const SEAM = ",\n";
const SEAM_BYTES: readonly number[] = [0x2c, 0x0a];
const NEWLINE = 0x0a;

export const joinLines = (lines: readonly string[]): string => lines.join(SEAM);

export const splitLines = (body: string): string[] => (body === "" ? [] : body.split(SEAM));

/** The same parts with the seams between them, for what takes a list: a Blob, say. */
export const withSeams = <Part>(parts: readonly Part[]): (Part | string)[] =>
  parts.flatMap((part, index) => (index === 0 ? [part] : [SEAM, part]));

/** `joinLines` for parts that are UTF-8 already. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const size = parts.reduce((sum, part) => sum + part.byteLength + SEAM_BYTES.length, -SEAM_BYTES.length);
  const joined = new Uint8Array(Math.max(0, size));
  let at = 0;
  for (const part of parts) {
    if (at > 0) {
      joined.set(SEAM_BYTES, at);
      at += SEAM_BYTES.length;
    }
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

/**
 * The first lines after `skip` of a joined body of `count` lines: at most `linesMax` and `bytesMax`, but one at least
 * when `atLeastOne`. Answers the part and how many lines it holds.
 */
export function sliceLines(
  body: Uint8Array,
  count: number,
  { skip, linesMax, bytesMax, atLeastOne }: LineSlice,
): { part: Uint8Array; lines: number } {
  if (skip === 0 && count <= linesMax && body.byteLength <= bytesMax) return { part: body, lines: count };
  const start = lineStart(body, count, skip);
  const wanted = Math.max(0, Math.min(count - skip, linesMax));
  const whole = body.subarray(start, Math.max(start, lineStart(body, count, skip + wanted) - SEAM_BYTES.length));
  if (whole.byteLength <= bytesMax) return { part: whole, lines: wanted };
  let [lines, end, next] = [0, start, start];
  while (lines < wanted) {
    const lineEnd = skip + lines === count - 1 ? body.byteLength : body.indexOf(NEWLINE, next) + 1 - SEAM_BYTES.length;
    if (lineEnd - start > bytesMax && !(atLeastOne && lines === 0)) break;
    lines += 1;
    end = lineEnd;
    next = lineEnd + SEAM_BYTES.length;
  }
  return { part: body.subarray(start, end), lines };
}

/** Where a line begins, counted from the nearer end; of the one behind the last: where it would. */
function lineStart(body: Uint8Array, count: number, line: number): number {
  let start = 0;
  if (line <= count / 2) {
    for (let before = 0; before < line; before += 1) start = body.indexOf(NEWLINE, start) + 1;
    return start;
  }
  start = body.byteLength + SEAM_BYTES.length;
  for (let behind = count; behind > line; behind -= 1)
    start = body.lastIndexOf(NEWLINE, start - SEAM_BYTES.length - 1) + 1;
  return start;
}

export interface LineSlice {
  readonly skip: number;
  readonly linesMax: number;
  readonly bytesMax: number;
  readonly atLeastOne: boolean;
}

/** The members of an event line that the hub itself reads again. */
export interface EventEnvelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly partitionkey?: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly keyversion?: number;
}

/** The event as a CloudEvent, parsed: what code that consumes it gets. */
export interface ConsumedEvent<Data = unknown> extends EventEnvelope {
  readonly time: string;
  readonly data?: Data;
  readonly data_base64?: string;
  readonly [attribute: string]: unknown;
}

export const parseEventLine = (line: string): EventEnvelope => JSON.parse(line) as EventEnvelope;
