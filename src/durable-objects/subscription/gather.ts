/**
 * Mode `batch`: events stay in their log, unexamined, until there are enough for a batch or the first of them has
 * waited for long enough. The end of the wait is a row, kept by the alarm; how many there are is heap, and looked up in
 * the log when it is not known.
 */
import { bytesOf, cutBatches, isBatchFull, type Gathered } from "../../core/ledger-batch.ts";
import { takeEvents, type Taken } from "../../core/ledger-take.ts";
import type { BatchPolicy } from "../../core/subscription.ts";
import type { LogPush } from "../rpc.ts";
import type { Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/**
 * In the caller's transaction: counts what a push brings, and leaves it where it is. Null: it was chosen by another
 * filter, and tells nothing.
 */
export function gatherPush(
  ledger: Ledger,
  source: Source,
  push: LogPush | null,
  policy: BatchPolicy,
  now: number,
): void {
  const nothing = source.behind ? null : { through: source.examined, events: 0, bytes: 0 };
  const before = ledger.gathered.get(source.id) ?? nothing;
  if (before === null || push === null || push.after > before.through) {
    ledger.gathered.delete(source.id); // The pump looks into the log.
  } else {
    const { events, through } = takeEvents(push, before.through, Number.MAX_SAFE_INTEGER, ledger.filter);
    const gathered: Gathered = {
      through,
      events: before.events + events.length,
      bytes: before.bytes + bytesOf(events),
    };
    const isNothing = gathered.events === 0 && through >= push.head;
    if (isNothing) return ledger.sources.advance(source.id, through, false, 0);
    ledger.gathered.set(source.id, gathered);
  }
  ledger.gathers.begin(source.id, now + policy.maxWaitMs);
  ledger.sources.markBehind(source.id);
}

/** Whether a look into the log would bring a batch, or tell how much there is. */
export function isGathered(ledger: Ledger, { id }: Source, policy: BatchPolicy, now: number): boolean {
  const until = ledger.gathers.until(id);
  if (until === null || until <= now) return true;
  const gathered = ledger.gathered.get(id);
  if (gathered === undefined || isBatchFull(gathered, policy)) return true;
  return (ledger.heads.get(id) ?? 0) > gathered.through;
}

/**
 * Of a look into the log, what goes now: full batches; the rest too when its time has come, or when the log holds more
 * than the look. In the caller's transaction.
 */
export function takeGathered(ledger: Ledger, source: number, looked: Taken, head: number, now: number): Taken {
  const policy = ledger.definition?.batch;
  if (policy === undefined) return looked;
  const until = ledger.gathers.until(source);
  const rest = cutBatches(looked.events, policy).at(-1) ?? [];
  const left = { through: looked.through, events: rest.length, bytes: bytesOf(rest) };
  const isDue = (until !== null && until <= now) || looked.through < head;
  if (rest.length === 0 || isDue || isBatchFull(left, policy)) {
    ledger.gathers.end(source);
    ledger.gathered.delete(source);
    return looked;
  }
  ledger.gathers.begin(source, now + policy.maxWaitMs);
  ledger.gathered.set(source, left);
  return { ...looked, events: looked.events.slice(0, -rest.length), through: rest[0]!.offset - 1 };
}
