/** Pages without a filter, as bytes: a log that is read whole is copied, never decoded, but for what expires. */
import { joinBytes, joinLines, sliceLines, splitLines } from "../../core/event.ts";
import { isExpired } from "../../core/expiry.ts";
import type { BytesPage, BytesRequest } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import { resolveStart } from "./read.ts";

export function readBytesPage(log: LogState, request: BytesRequest, now = Date.now()): BytesPage {
  const { after, gap } = resolveStart(log, request.start);
  const parts: Uint8Array[] = [];
  let through = after;
  let count = 0;
  let bytes = 0;
  for (const segment of log.segments.bytesFrom(after + 1, after + request.eventsMax)) {
    const skip = Math.max(0, through + 1 - segment.firstOffset);
    const slice = sliceLines(segment.body, segment.count, {
      skip,
      linesMax: request.eventsMax - (through - after),
      bytesMax: request.bytesMax - bytes,
      atLeastOne: through === after && request.eventsMax > 0,
    });
    if (slice.lines === 0) break;
    const mayExpire = segment.expiresAt !== null && segment.expiresAt <= now;
    const { part, lines } = mayExpire ? withoutExpired(slice.part, now) : slice;
    if (lines > 0) parts.push(part);
    count += lines;
    bytes += slice.part.byteLength;
    through += slice.lines;
    if (skip + slice.lines < segment.count) break; // The page is full.
  }
  return { after, through, count, head: log.ends.head, gap, body: alone(joinBytes(parts)) };
}

/** In a buffer of its own: a view goes to its reader with all that it is a view of. */
const alone = (bytes: Uint8Array): Uint8Array => (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice());

function withoutExpired(part: Uint8Array, now: number): { part: Uint8Array; lines: number } {
  const kept = splitLines(new TextDecoder().decode(part)).filter((line) => !isExpired(line, now));
  return { part: new TextEncoder().encode(joinLines(kept)), lines: kept.length };
}
