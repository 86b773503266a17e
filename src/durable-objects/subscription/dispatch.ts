/** Opens dispatches: the row first, in the caller's transaction; the message is sent when that has committed. */
import { LIMITS } from "../../core/limits.ts";
import { ringDelayMs } from "../../core/ledger-schedule.ts";
import type { TakenEvent } from "../../core/ledger-take.ts";
import { utf8Length } from "../../core/utf8.ts";
import type { DispatchMessage, InlineEvent } from "../../queues/messages.ts";
import type { OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import type { DueRetry } from "./retry-store.ts";

/** Payload that the claim of one redriven dispatch may bring along; an RPC answer is ≤ 32 MB. */
const CLAIM_LINE_CHARS_MAX = 4 * 1_024 * 1_024;
/** What a message spends on one event beside its line. */
const INLINE_OVERHEAD_BYTES = 48;

/** Events that go out for the first time, in dispatches of at most `size`. */
export function dispatchEvents(
  ledger: Ledger,
  source: number,
  events: readonly TakenEvent[],
  size: number,
  now: number,
): DispatchMessage[] {
  const messages: DispatchMessage[] = [];
  for (let from = 0; from < events.length; from += size) {
    const part = events.slice(from, from + size);
    const id = open(
      ledger,
      part.map(({ offset }) => [source, offset, 1] as const),
      false,
      now,
    );
    messages.push(messageOf(ledger, id, inlineEvents(source, part)));
  }
  return messages;
}

/** The first dispatch that these retries make; the rest waits for the next call. */
export function dispatchRetries(ledger: Ledger, due: readonly DueRetry[], size: number, now: number): DispatchMessage {
  const chosen = chooseTogether(due, size);
  const deliveries = chosen.map(({ source, offset, attemptsMade }) => [source, offset, attemptsMade + 1] as const);
  const id = open(ledger, deliveries, true, now);
  for (const retry of chosen) ledger.retries.assign(retry, id);
  return messageOf(ledger, id, []);
}

/** A message without events: the consumer reads them from the logs, or gets them with the claim. */
export const messageOf = (ledger: Ledger, dispatch: number, events: readonly InlineEvent[]): DispatchMessage => ({
  v: 1,
  app: ledger.app,
  subscription: ledger.subscriptionId,
  dispatch,
  events,
});

function open(ledger: Ledger, deliveries: readonly OpenDelivery[], parked: boolean, now: number): number {
  const id = nextDispatchId(ledger);
  ledger.dispatches.insert(id, deliveries, parked, now, now + ringDelayMs(0));
  return id;
}

/** Never given twice: a message, a claim or a lease of the past names nothing that is new. */
export function nextDispatchId(ledger: Ledger): number {
  const id = (ledger.meta.read("dispatches") ?? 0) + 1;
  ledger.meta.write("dispatches", id);
  return id;
}

function inlineEvents(source: number, events: readonly TakenEvent[]): InlineEvent[] {
  const inline: InlineEvent[] = [];
  let bytes = 0;
  for (const { offset, line } of events) {
    // The message is JSON and holds the line as a string.
    bytes += utf8Length(JSON.stringify(line)) + INLINE_OVERHEAD_BYTES;
    if (bytes > LIMITS.DISPATCH_INLINE_BYTES_MAX) break;
    inline.push({ source, offset, line });
  }
  return inline;
}

function chooseTogether(due: readonly DueRetry[], size: number): readonly DueRetry[] {
  if (due[0]?.alone) return due.slice(0, 1);
  const chosen: DueRetry[] = [];
  let chars = 0;
  for (const retry of due) {
    chars += retry.lineChars;
    if (retry.alone || chosen.length >= size || (chosen.length > 0 && chars > CLAIM_LINE_CHARS_MAX)) break;
    chosen.push(retry);
  }
  return chosen;
}
