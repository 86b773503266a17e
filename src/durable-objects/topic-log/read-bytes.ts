/** Pages without a filter, as bytes: a log that is read whole is copied, never decoded. */
import { joinBytes, sliceLines } from "../../core/event.ts";
import type { BytesPage, BytesRequest } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import { resolveStart } from "./read.ts";

export function readBytesPage(log: LogState, request: BytesRequest): BytesPage {
  const { after, gap } = resolveStart(log, request.start);
  const parts: Uint8Array[] = [];
  let through = after;
  let bytes = 0;
  for (const segment of log.segments.bytesFrom(after + 1)) {
    const skip = Math.max(0, through + 1 - segment.firstOffset);
    const { part, lines } = sliceLines(segment.body, segment.count, {
      skip,
      linesMax: request.eventsMax - (through - after),
      bytesMax: request.bytesMax - bytes,
      atLeastOne: parts.length === 0 && request.eventsMax > 0,
    });
    if (lines === 0) break;
    parts.push(part);
    bytes += part.byteLength;
    through += lines;
    if (skip + lines < segment.count) break; // The page is full.
  }
  return { after, through, head: log.ends.head, gap, body: joinBytes(parts) };
}
