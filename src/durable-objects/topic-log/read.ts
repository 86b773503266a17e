/** Pages of one partition. A page is one synchronous look: what it answers was all true at one moment. */
import { joinLines, parseEventLine, splitLines } from "../../core/event.ts";
import { isExpired } from "../../core/expiry.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { uuidV7TimeMs } from "../../core/uuid.ts";
import type { Gap, ReadPage, ReadRequest, ReadStart } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import type { Segment } from "./segment-store.ts";

export function readPage(log: LogState, request: ReadRequest, now = Date.now()): Result<ReadPage> {
  const { after, gap } = resolveStart(log, request.start);
  const until = Math.min(request.until ?? log.ends.head, log.ends.head);
  const page = new PageBuilder(request, after, until, now);
  if (request.keyStream === null) {
    for (const segment of log.segments.from(after + 1, until)) {
      if (!page.takeSegment(segment)) break;
    }
  } else {
    if (log.life?.index !== "key") return fail("index_required", "Reading one key needs a topic made with index key.");
    takeKeyStream(log, request.keyStream, page, after, until);
  }
  const { head, firstHeld } = log.ends;
  return ok({
    after,
    offsets: page.offsets,
    body: joinLines(page.bodies),
    through: page.through(),
    head,
    firstHeld,
    gap,
    ...(request.keyStream !== null && { keyVersion: log.identities.keyVersion("key", request.keyStream) }),
  });
}

/** The last offset *before* the reader's first, and whether it asked for something that is not there any more. */
export function resolveStart(log: LogState, start: ReadStart): { after: number; gap: Gap | null } {
  const { head, firstHeld } = log.ends;
  switch (start.kind) {
    case "earliest":
      return { after: firstHeld - 1, gap: null };
    case "latest":
      return { after: head, gap: null };
    case "time":
      return { after: log.segments.firstSince(start.at, log.ends) - 1, gap: null };
    case "after": {
      const gapBecause = (reason: Gap["reason"]): Gap => ({
        partition: log.partition,
        requested: start.offset + 1,
        firstHeld,
        reason,
      });
      if (start.epoch !== null && start.epoch !== log.epoch) return { after: firstHeld - 1, gap: gapBecause("epoch") };
      if (start.offset > head) return { after: head, gap: gapBecause("ahead") };
      if (start.offset < firstHeld - 1) return { after: firstHeld - 1, gap: gapBecause("trimmed") };
      return { after: start.offset, gap: null };
    }
  }
}

/** Event lines by offset; null for what is trimmed or belongs to another life. */
export function readLines(log: LogState, epoch: number, offsets: readonly number[]): (string | null)[] {
  const held = epoch === log.epoch && log.life !== null;
  return offsets.map((offset) => (held && offset >= log.ends.firstHeld ? log.segments.line(offset) : null));
}

/** By a client's id through its row; by one of ours through the time inside it, which is the segment's. */
export function findEvent(log: LogState, id: string, now = Date.now()): string | null {
  const line = findLine(log, id);
  return line === null || isExpired(line, now) ? null : line;
}

function findLine(log: LogState, id: string): string | null {
  const offset = log.identities.offsetById(id);
  if (offset !== null) return offset >= log.ends.firstHeld ? log.segments.line(offset) : null;
  const at = uuidV7TimeMs(id);
  if (at === null) return null;
  const needle = `"id":${JSON.stringify(id)},`;
  for (const segment of log.segments.from(log.segments.firstSince(at, log.ends))) {
    if (segment.appendedAt > at) return null;
    const found = splitLines(segment.body).find(
      (line, index) =>
        segment.firstOffset + index >= log.ends.firstHeld && line.startsWith(`{"specversion":"1.0",${needle}`),
    );
    if (found !== undefined) return found;
  }
  return null;
}

function takeKeyStream(log: LogState, key: string, page: PageBuilder, after: number, until: number): void {
  const first = Math.max(after, log.ends.firstHeld - 1);
  const offsets = log.identities.keyOffsets(key, first, LIMITS.PAGE_EVENTS_MAX + 1);
  const lines = log.segments.lines(offsets);
  for (const offset of offsets) {
    const line = offset <= until ? (lines.next().value as string | null) : null;
    if (line === null || !page.takeLine(offset, line)) return;
  }
  // A filter may have left out so many that the page is not full; the stream goes on all the same.
  if (offsets.length > LIMITS.PAGE_EVENTS_MAX) page.stop();
}

class PageBuilder {
  readonly offsets: number[] = [];
  readonly bodies: string[] = [];
  readonly #request: ReadRequest;
  readonly #after: number;
  readonly #until: number;
  readonly #now: number;
  #examined = 0;
  #bytes = 0;
  #through: number;
  #full = false;

  constructor(request: ReadRequest, after: number, until: number, now: number) {
    this.#request = request;
    this.#after = after;
    this.#until = until;
    this.#now = now;
    this.#through = after;
  }

  /** Everything up to here was looked at; the end, when nothing stopped the look before it. */
  through(): number {
    return this.#full ? this.#through : Math.max(this.#until, this.#after);
  }

  /** False when the page is full. */
  takeSegment(segment: Segment): boolean {
    const last = segment.firstOffset + segment.count - 1;
    const whole =
      segment.firstOffset > this.#after &&
      last <= this.#until &&
      !this.#filters() &&
      !this.#mayHoldExpired(segment) &&
      this.offsets.length + segment.count <= this.#request.eventsMax &&
      this.#bytes + segment.body.length <= this.#request.bytesMax &&
      this.#examined + segment.count <= LIMITS.PAGE_EXAMINED_MAX;
    if (whole) {
      this.#bytes += segment.body.length;
      this.#examined += segment.count;
      this.bodies.push(segment.body);
      for (let offset = segment.firstOffset; offset <= last; offset += 1) this.offsets.push(offset);
      this.#through = last;
      return true;
    }
    for (const [index, line] of splitLines(segment.body).entries()) {
      const offset = segment.firstOffset + index;
      if (offset > this.#until) return false;
      if (offset > this.#after && !this.takeLine(offset, line)) return false;
    }
    return true;
  }

  /** There is more behind what was looked at. */
  stop(): void {
    this.#full = true;
  }

  takeLine(offset: number, line: string): boolean {
    const full = this.offsets.length >= this.#request.eventsMax || this.#examined >= LIMITS.PAGE_EXAMINED_MAX;
    const wanted = !full && this.#wants(line);
    if (full || (wanted && !this.#hasRoom(line.length))) {
      this.#full = true;
      return false;
    }
    this.#examined += 1;
    this.#through = offset;
    if (wanted) {
      this.#bytes += line.length;
      this.offsets.push(offset);
      this.bodies.push(line);
    }
    return true;
  }

  /** The first event always fits, so that a page with a small bound still moves on. */
  #hasRoom(bytes: number): boolean {
    return this.offsets.length === 0 || this.#bytes + bytes <= this.#request.bytesMax;
  }

  #filters(): boolean {
    return this.#request.types !== null || this.#request.keys !== null;
  }

  #mayHoldExpired({ expiresAt }: Segment): boolean {
    return expiresAt !== null && expiresAt <= this.#now && this.#request.keepsExpired !== true;
  }

  #wants(line: string): boolean {
    if (this.#request.keepsExpired !== true && isExpired(line, this.#now)) return false;
    if (!this.#filters()) return true;
    const { types, keys } = this.#request;
    const { type, partitionkey } = parseEventLine(line);
    return (
      (types === null || types.includes(type)) &&
      (keys === null || (partitionkey !== undefined && keys.includes(partitionkey)))
    );
  }
}
