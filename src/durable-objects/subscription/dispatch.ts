/**
 * Opens dispatches: a row in the caller's transaction, and a message that names it. Whichever is first, a claim finds
 * the row, or there is nothing to claim.
 */
import { allot } from "../../core/lane-allotment.ts";
import { cutBatches } from "../../core/ledger-batch.ts";
import { comparePlaces } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import { ringDelayMs } from "../../core/ledger-schedule.ts";
import type { TakenEvent } from "../../core/ledger-take.ts";
import { utf8Length } from "../../core/utf8.ts";
import type { DispatchMessage, InlineEvent } from "../../queues/messages.ts";
import type { OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import type { DueRetry } from "./retry-store.ts";
import type { LaneName } from "./waiting-store.ts";

/** Payload that the claim of one redriven dispatch may bring along; an RPC answer is ≤ 32 MB. */
const CLAIM_LINE_CHARS_MAX = 4 * 1_024 * 1_024;
/** What a message spends on one event beside its line. */
const INLINE_OVERHEAD_BYTES = 48;

/** One that has its number and its message, and no row yet. */
export interface PlannedDispatch {
  readonly deliveries: readonly OpenDelivery[];
  readonly message: DispatchMessage;
}

/** Events that go out for the first time, in dispatches of about `size`. Writes nothing but what its numbers cost. */
export function planDispatches(
  ledger: Ledger,
  source: number,
  events: readonly TakenEvent[],
  size: number,
): PlannedDispatch[] {
  const { batch } = ledger.definition!;
  const parts = batch === undefined ? allot(events, size) : cutBatches(events, batch);
  return parts.map((part) => ({
    deliveries: part.map(({ offset, lane }) => openDelivery(source, offset, 1, lane)),
    message: messageOf(ledger, ledger.dispatchIds.next(), inlineEvents(source, part)),
  }));
}

/** Answers their messages. */
export function openPlanned(ledger: Ledger, planned: readonly PlannedDispatch[], now: number): DispatchMessage[] {
  return planned.map(({ deliveries, message }) => {
    open(ledger, message.dispatch, deliveries, false, now, now);
    return message;
  });
}

/** About `size` deliveries of these lanes, which have become free, a fair share of each. */
export function dispatchWaiting(
  ledger: Ledger,
  lanes: readonly LaneName[],
  size: number,
  now: number,
): DispatchMessage {
  const share = Math.floor(size / lanes.length);
  const taken = lanes.flatMap((lane) => ledger.waiting.take(lane, share)).toSorted(comparePlaces);
  const deliveries = taken.map(({ source, offset, lane }) => openDelivery(source, offset, 1, lane));
  const owedSince = Math.min(...taken.map((delivery) => delivery.owedSince));
  const id = ledger.dispatchIds.next();
  open(ledger, id, deliveries, false, owedSince, now);
  return messageOf(ledger, id, []);
}

/** The first dispatch that these retries make; the rest waits for the next call. */
export function dispatchRetries(ledger: Ledger, due: readonly DueRetry[], size: number, now: number): DispatchMessage {
  const chosen = chooseTogether(due, size);
  const deliveries = chosen.map(({ source, offset, attemptsMade, lane }) =>
    openDelivery(source, offset, attemptsMade + 1, lane),
  );
  const id = ledger.dispatchIds.next();
  open(ledger, id, deliveries, true, now, now);
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

const openDelivery = (source: number, offset: number, attempt: number, lane: string | null): OpenDelivery =>
  lane === null ? [source, offset, attempt] : [source, offset, attempt, lane];

function open(
  ledger: Ledger,
  id: number,
  deliveries: readonly OpenDelivery[],
  parked: boolean,
  owedSince: number,
  now: number,
): void {
  ledger.spendRate(deliveries.length, now);
  ledger.dispatches.insert(id, deliveries, parked, owedSince, now + ringDelayMs(0));
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
