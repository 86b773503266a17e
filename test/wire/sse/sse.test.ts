import { EventSource } from "eventsource";
import { expect, it } from "vitest";
import { formatEventLine } from "../../../src/core/event.ts";
import { parseDraft } from "../../../src/wire/native/draft.ts";
import {
  formatSseCaughtUp,
  formatSseEvent,
  formatSseGap,
  formatSseProblem,
  formatSseRetry,
  SSE_HEARTBEAT,
} from "../../../src/wire/sse/sse.ts";
import { DEFAULTS, POSITION, valueOf } from "../schema.ts";

type Block = readonly [type: string, data: string, lastEventId: string];

/** What an EventSource that we did not write makes of the stream, up to its `problem`. */
async function readBlocks(stream: string): Promise<Block[]> {
  const blocks: Block[] = [];
  const headers = { "content-type": "text/event-stream" };
  const source = new EventSource("http://hub.test/", { fetch: async () => new Response(stream, { headers }) as never });
  await new Promise<void>((resolve, reject) => {
    for (const type of ["event", "caught_up", "gap", "problem", "message"]) {
      source.addEventListener(type, (message) => {
        blocks.push([type, message.data as string, message.lastEventId]);
        if (type === "problem") resolve();
      });
    }
    source.addEventListener("error", () => reject(new Error("the stream was not understood")));
  });
  source.close();
  return blocks;
}

it("[WIRE-11] is what an EventSource reads: events whole, ids the cursors, heartbeats unseen", async () => {
  const draft = valueOf(parseDraft('{"type":"a","data":"\\u0000\\n: x\\r\\ndata: 1\u2028é😀"}', DEFAULTS));
  const line = formatEventLine(draft, "1", POSITION);
  const gap = { partition: 1, requested: 3, firstHeld: 9, reason: "trimmed" } as const;
  const blocks = await readBlocks(
    formatSseRetry(1_000) +
      SSE_HEARTBEAT +
      formatSseEvent("AQ", line) +
      SSE_HEARTBEAT +
      formatSseGap(gap) +
      formatSseCaughtUp("Ag") +
      formatSseProblem('{"code":"internal_error"}'),
  );
  expect(blocks).toEqual([
    ["event", line, "AQ"],
    ["gap", JSON.stringify(gap), "AQ"],
    ["caught_up", '{"cursor":"Ag"}', "Ag"],
    ["problem", '{"code":"internal_error"}', "Ag"],
  ]);
});
