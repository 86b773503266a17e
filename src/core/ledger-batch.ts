/** Mode `batch`: which events go together in one request. */
import type { BatchPolicy } from "./subscription.ts";
import { utf8Length } from "./utf8.ts";

/** What is known of a log's events that wait for their batch. */
export interface Gathered {
  /** Everything up to this offset has been looked at. */
  readonly through: number;
  readonly events: number;
  readonly bytes: number;
}

export const isBatchFull = ({ events, bytes }: Omit<Gathered, "through">, policy: BatchPolicy): boolean =>
  events >= policy.maxEvents || bytes >= policy.maxBytes;

export const bytesOf = (events: readonly { readonly line: string }[]): number =>
  events.reduce((sum, { line }) => sum + utf8Length(line), 0);

/** In order, each as full as it can be; an event that is larger than a batch may be goes alone. */
export function cutBatches<Event extends { readonly line: string }>(
  events: readonly Event[],
  { maxEvents, maxBytes }: BatchPolicy,
): Event[][] {
  const batches: Event[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = utf8Length(event.line);
    const last = batches.at(-1);
    if (last !== undefined && last.length < maxEvents && bytes + size <= maxBytes) {
      last.push(event);
      bytes += size;
    } else {
      batches.push([event]);
      bytes = size;
    }
  }
  return batches;
}

/** How many deliveries may be dispatched: whole batches, so that none is cut for want of room. */
export const batchRoom = (maxInFlight: number, open: number, { maxEvents }: BatchPolicy): number =>
  Math.floor(Math.max(0, maxInFlight - open) / maxEvents) * maxEvents;
