/** The events themselves, in segments, and what is known of them without reading one. */
import { joinLines, splitLines } from "../../core/event.ts";
import { LIMITS } from "../../core/limits.ts";

export interface Segment {
  readonly firstOffset: number;
  readonly count: number;
  readonly appendedAt: number;
  readonly body: string;
  /** When the first of its events may expire, milliseconds; null: none does. */
  readonly expiresAt: number | null;
}

/** Ends of the log, kept in heap and rebuilt from rows: an object that wakes reads three rows. */
export interface LogEnds {
  /** The last offset ever given; 0 before the first event. */
  readonly head: number;
  /** The first offset still held; head + 1 when nothing is. */
  readonly firstHeld: number;
  /** Time of the last append, milliseconds; 0 before the first. */
  readonly appendedAt: number;
  /** Bytes ever appended. */
  readonly bytesThrough: number;
}

type EdgeRow = { first_offset: number; count: number; appended_at: number; bytes_through: number };
type SegmentRow = EdgeRow & { expires_at: number | null; body: string };

const NOTHING: LogEnds = { head: 0, firstHeld: 1, appendedAt: 0, bytesThrough: 0 };

export class SegmentStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** One row for these lines, or several when they pass a row's size. Answers `bytesThrough`. */
  append(
    firstOffset: number,
    lines: readonly string[],
    appendedAt: number,
    bytesThrough: number,
    expiresAt: number | null,
  ): number {
    let through = bytesThrough;
    let offset = firstOffset;
    for (const body of packSegments(lines)) {
      const count = body.lines;
      // octet_length counts UTF-8 natively; encoding every body here would cost more than the insert.
      through = this.#sql
        .exec<{ bytes_through: number }>(
          `INSERT INTO segments (first_offset, count, appended_at, bytes_through, body, expires_at)
         VALUES (?1, ?2, ?3, ?4 + octet_length(?5), ?5, ?6) RETURNING bytes_through`,
          offset,
          count,
          appendedAt,
          through,
          body.text,
          expiresAt,
        )
        .one().bytes_through;
      offset += count;
    }
    return through;
  }

  /**
   * Segments in order, from the one that holds `offset` to the one that holds `last`; lazy, so that a full page stops
   * reading. Who reads them to the end leaves the statement to the next look, which else would have it parsed anew.
   */
  *from(offset: number, last = Number.MAX_SAFE_INTEGER): Generator<Segment> {
    const rows = this.#sql.exec<SegmentRow>(
      `SELECT first_offset, count, appended_at, bytes_through, expires_at, body FROM segments
       WHERE first_offset >= coalesce((SELECT max(first_offset) FROM segments WHERE first_offset <= ?1), 0)
         AND first_offset <= ?2
       ORDER BY first_offset`,
      offset,
      last,
    );
    for (const row of rows) {
      yield { ...factsOf(row), body: row.body };
    }
  }

  /** As `from`, with the bodies as they are stored, in UTF-8. */
  *bytesFrom(offset: number, last: number): Generator<Omit<Segment, "body"> & { readonly body: Uint8Array }> {
    const rows = this.#sql.exec<Omit<SegmentRow, "body"> & { body: ArrayBuffer }>(
      `SELECT first_offset, count, appended_at, bytes_through, expires_at, CAST(body AS BLOB) AS body FROM segments
       WHERE first_offset >= coalesce((SELECT max(first_offset) FROM segments WHERE first_offset <= ?1), 0)
         AND first_offset <= ?2
       ORDER BY first_offset`,
      offset,
      last,
    );
    for (const row of rows) {
      yield { ...factsOf(row), body: new Uint8Array(row.body) };
    }
  }

  /** One line, or null when no segment holds the offset. */
  line(offset: number): string | null {
    return this.lines([offset]).next().value as string | null;
  }

  /** Each of them in turn; a segment is read once for all of its lines that follow on one another. */
  *lines(offsets: Iterable<number>): Generator<string | null> {
    let segment: Segment | undefined;
    let held: readonly string[] = [];
    for (const offset of offsets) {
      if (segment === undefined || offset < segment.firstOffset || offset >= segment.firstOffset + segment.count) {
        [segment] = [...this.from(offset, offset)];
        held = segment === undefined ? [] : splitLines(segment.body);
      }
      yield segment === undefined ? null : (held[offset - segment.firstOffset] ?? null);
    }
  }

  /** The first offset appended at or after `at`; head + 1 when there is none. */
  firstSince(at: number, ends: LogEnds): number {
    return this.#bisect(ends, (edge) => edge.appended_at >= at);
  }

  /** The first offset from which on the log holds at most `bytesMax`, by whole segments; the newest always stays. */
  firstWithin(bytesMax: number, ends: LogEnds): number {
    const newest = this.#edgeAt(ends.head)?.first_offset ?? ends.head + 1;
    const first = this.#bisect(ends, (edge) => ends.bytesThrough - this.#bytesBefore(edge.first_offset) <= bytesMax);
    return Math.max(Math.min(first, newest), ends.firstHeld);
  }

  ends(trim: LogEnds | null): LogEnds {
    const last = this.#sql
      .exec<EdgeRow>(
        `SELECT first_offset, count, appended_at, bytes_through FROM segments ORDER BY first_offset DESC LIMIT 1`,
      )
      .toArray()[0];
    if (last === undefined) return trim ?? NOTHING;
    const first = this.#sql
      .exec<{ first_offset: number }>(`SELECT min(first_offset) AS first_offset FROM segments`)
      .one();
    return {
      head: last.first_offset + last.count - 1,
      firstHeld: Math.max(first.first_offset, trim?.firstHeld ?? 1),
      appendedAt: last.appended_at,
      bytesThrough: last.bytes_through,
    };
  }

  /** When the oldest event still held was appended; null when nothing is held. */
  oldestAppendedAt(): number | null {
    const row = this.#sql.exec<{ appended_at: number }>(
      `SELECT appended_at FROM segments ORDER BY first_offset LIMIT 1`,
    );
    return row.toArray()[0]?.appended_at ?? null;
  }

  bytesHeld(ends: LogEnds): number {
    return ends.head < ends.firstHeld ? 0 : ends.bytesThrough - this.#bytesBefore(ends.firstHeld);
  }

  /** Drops segments that end before `firstHeld`, at most one slice of them. Answers whether more are left to drop. */
  dropBefore(firstHeld: number): boolean {
    const dropped = this.#sql.exec(
      `DELETE FROM segments WHERE first_offset IN (
         SELECT first_offset FROM segments WHERE first_offset + count <= ?1 ORDER BY first_offset LIMIT ?2)`,
      firstHeld,
      LIMITS.TRIM_SEGMENTS_PER_SLICE,
    );
    return dropped.rowsWritten >= LIMITS.TRIM_SEGMENTS_PER_SLICE;
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM segments`);
  }

  /** The smallest first offset whose segment holds, where `holds` is false up to some segment and true after it. */
  #bisect(ends: LogEnds, holds: (edge: EdgeRow) => boolean): number {
    let low = ends.firstHeld;
    let high = ends.head + 1;
    while (low < high) {
      const edge = this.#edgeAt(Math.floor((low + high) / 2));
      if (edge === null) return high;
      if (holds(edge)) high = edge.first_offset;
      else low = edge.first_offset + edge.count;
    }
    return Math.max(low, ends.firstHeld);
  }

  #edgeAt(offset: number): EdgeRow | null {
    return (
      this.#sql
        .exec<EdgeRow>(
          `SELECT first_offset, count, appended_at, bytes_through FROM segments WHERE first_offset <= ?1
       ORDER BY first_offset DESC LIMIT 1`,
          offset,
        )
        .toArray()[0] ?? null
    );
  }

  /** Bytes of everything before the segment that holds `offset`. */
  #bytesBefore(offset: number): number {
    const row = this.#sql
      .exec<{ before: number }>(
        `SELECT bytes_through - octet_length(body) AS before FROM segments WHERE first_offset <= ?1
       ORDER BY first_offset DESC LIMIT 1`,
        offset,
      )
      .toArray()[0];
    return row?.before ?? 0;
  }
}

const factsOf = (row: Omit<SegmentRow, "body">): Omit<Segment, "body"> => ({
  firstOffset: row.first_offset,
  count: row.count,
  appendedAt: row.appended_at,
  expiresAt: row.expires_at,
});

/** Joins lines into bodies that stay under a row's size; a line alone always fits (an event is ≤ 256 KB). */
function packSegments(lines: readonly string[]): { text: string; lines: number }[] {
  const bodies: { text: string; lines: number }[] = [];
  let from = 0;
  let size = 0;
  for (const [index, line] of lines.entries()) {
    const bytes = line.length * 3 + 2; // UTF-8 takes at most three bytes for a UTF-16 unit.
    if (index > from && size + bytes > LIMITS.SEGMENT_BYTES_MAX) {
      bodies.push({ text: joinLines(lines.slice(from, index)), lines: index - from });
      from = index;
      size = 0;
    }
    size += bytes;
  }
  if (from < lines.length) bodies.push({ text: joinLines(lines.slice(from)), lines: lines.length - from });
  return bodies;
}
