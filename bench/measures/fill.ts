/** Fills a log before it is measured. */
import { formatBatch } from "../client/events.ts";
import { closedLoop } from "../client/load.ts";
import type { Side } from "../sides/side.ts";

const REQUEST_EVENTS = 500;

export async function fillLog({ http, dialect }: Side, topic: string, events: number): Promise<void> {
  await closedLoop(4, Math.ceil(events / REQUEST_EVENTS), (request) => {
    const first = request * REQUEST_EVENTS;
    return http.post(dialect.publishMany(topic), formatBatch(first, Math.min(REQUEST_EVENTS, events - first), 0));
  });
}
