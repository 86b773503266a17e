/** Server-sent events: the frames of a hub's socket, translated. The stream goes as fast as its reader takes it. */
import { formatCursor } from "../core/cursor.ts";
import type { Position } from "../core/position.ts";
import { liftLine, type Lifts } from "../core/upcast.ts";
import {
  formatSseCaughtUp,
  formatSseEvent,
  formatSseGap,
  formatSseProblem,
  formatSseRetry,
  formatSseUserEvent,
  SSE_HEARTBEAT,
} from "../wire/sse/sse.ts";
import type { HubMessage } from "../wire/native/hub-frames.ts";
import type { LiveReader } from "./live.ts";

/** Keeps proxies from closing an idle stream, and finds a client that only closed its own side of the connection. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 1_000;

/** `from` as text again, as a hub's socket takes it. */
export function formatPosition(position: Position): string {
  switch (position.kind) {
    case "earliest":
    case "latest":
      return position.kind;
    case "offset":
      return `offset:${position.offset}`;
    case "time":
      return `time:${new Date(position.at).toISOString()}`;
    case "cursor":
      return `cursor:${formatCursor(position.cursor)}`;
  }
}

/** `lifts`: the versions in which events are sent. */
export function sseResponse(reader: LiveReader, topic: string, lifts: Lifts): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void stream(reader, topic, lifts, writable.getWriter());
  return new Response(readable, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache, no-transform" },
  });
}

/** Ends when the client hangs up (its reader is closed, or a write fails) or the hub does; both sides are let go. */
async function stream(
  reader: LiveReader,
  topic: string,
  lifts: Lifts,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  const encoder = new TextEncoder();
  try {
    await writer.write(encoder.encode(formatSseRetry(RETRY_MS)));
    for (;;) {
      const messages = await reader.next(HEARTBEAT_MS);
      if (messages === null && reader.closed) break; // Only now: what the hub said last is still to be passed on.
      const blocks = messages?.map((message) => formatBlock(message, lifts)).join("");
      await writer.write(encoder.encode(blocks ?? SSE_HEARTBEAT));
      acknowledge(reader, topic, messages ?? []);
      if (messages?.some(({ op }) => op === "error" || op === "unsubscribed")) break;
    }
    await writer.close();
  } catch {
    // The reader is gone.
  } finally {
    reader.close();
  }
}

function acknowledge(reader: LiveReader, topic: string, messages: readonly HubMessage[]): void {
  const last = messages.findLast((message) => message.op === "event");
  if (last !== undefined) reader.acknowledge(topic, last.cursor);
}

function formatBlock(message: HubMessage, lifts: Lifts): string {
  switch (message.op) {
    case "event":
      return formatSseEvent(message.cursor, liftLine(message.event, lifts));
    case "caught_up":
      return formatSseCaughtUp(message.cursor);
    case "gap":
      return formatSseGap(message);
    case "user_event":
      return formatSseUserEvent(message.event);
    case "error":
      return formatSseProblem(JSON.stringify(message.problem));
    default:
      return "";
  }
}
