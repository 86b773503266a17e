/** What operators see of the ledger: owed and in-flight deliveries, dead letters. */
import { deliveryKey } from "../../core/keys.ts";
import { comparePlaces, formatListCursor, parseListCursor, type DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import type { DeadLetter, DeliveryReport, ReportPage } from "../rpc.ts";
import type { DeadLetterRow } from "./dead-letter-store.ts";
import type { DeliveredRow } from "./delivered-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Retry } from "./retry-store.ts";

const START: DeliveryPlace = { source: 0, offset: 0 };

/** By source and offset; what is in flight is owed as well. A cursor that is not one begins anew. */
export function listDeliveries(
  ledger: Ledger,
  state: "owed" | "in_flight",
  cursor: string | null,
  limit: number,
): ReportPage<DeliveryReport> {
  const after = (cursor === null ? null : parseListCursor(cursor)) ?? START;
  const waiting = state === "owed" ? listWaiting(ledger, after, limit) : [];
  const found = [...waiting, ...listDispatched(ledger, state, after)];
  found.sort((left, right) => comparePlaces(left.place, right.place));
  return {
    items: found.slice(0, limit).map(({ report }) => report),
    cursor: found.length >= limit && limit > 0 ? formatListCursor(found[limit - 1]!.place) : null,
  };
}

/** The newest last; of one reason, or of all. */
export function listDeadLetters(
  ledger: Ledger,
  cursor: string | null,
  limit: number,
  reason: string | null = null,
): ReportPage<DeadLetter> {
  const letters = readDeadLetters(ledger, cursor, limit, reason);
  return {
    items: letters.map((letter) => ({
      ...placeReport(ledger, letter),
      reason: letter.reason,
      diedAt: new Date(letter.diedAt).toISOString(),
      attempts: letter.attempts,
      event: letter.line,
    })),
    cursor: cursorAfter(ledger, letters, reason),
  };
}

/** Dead letters in the form of deliveries. */
export function listDead(ledger: Ledger, cursor: string | null, limit: number): ReportPage<DeliveryReport> {
  const letters = readDeadLetters(ledger, cursor, limit);
  return {
    items: letters.map((letter) => ({
      ...placeReport(ledger, letter),
      state: "dead",
      attempts: letter.attempts,
      nextAttemptAt: null,
    })),
    cursor: cursorAfter(ledger, letters),
  };
}

/** What was delivered last, where the owner asks for it to be kept; the newest last. */
export function listDelivered(ledger: Ledger, cursor: string | null, limit: number): ReportPage<DeliveryReport> {
  const after = (cursor === null ? null : parseListCursor(cursor)) ?? START;
  const rows = ledger.delivered.list(after.offset, limit);
  return {
    items: rows.map((row) => reportDelivered(ledger, row)),
    cursor: rows.length < limit ? null : formatListCursor({ source: 0, offset: rows.at(-1)!.seq }),
  };
}

export const reportDelivered = (ledger: Ledger, row: DeliveredRow): DeliveryReport => ({
  ...placeReport(ledger, row),
  state: "delivered",
  attempts: row.attempts,
  nextAttemptAt: null,
});

interface Found {
  readonly place: DeliveryPlace;
  readonly report: DeliveryReport;
}

/** `in_flight` is what a consumer holds; what was sent and nobody has claimed is only owed. */
function listDispatched(ledger: Ledger, asked: "owed" | "in_flight", after: DeliveryPlace): Found[] {
  const wanted = ledger.dispatches.all().filter(({ leaseUntil }) => asked === "owed" || leaseUntil > 0);
  return wanted.flatMap((dispatch) =>
    dispatch.deliveries.flatMap(([source, offset]): Found[] => {
      const place = { source, offset };
      if (comparePlaces(place, after) <= 0) return [];
      const state = dispatch.leaseUntil > 0 ? "in_flight" : "owed";
      const attempts = dispatch.parked ? (ledger.retries.get(place)?.attempts ?? []) : [];
      return [{ place, report: { ...placeReport(ledger, place), state, attempts, nextAttemptAt: null } }];
    }),
  );
}

/** What waits for its next attempt, and what waits behind that in its lane. */
function listWaiting(ledger: Ledger, after: DeliveryPlace, limit: number): Found[] {
  const untried = ledger.waiting.list(after, limit).map((place): Found => {
    const report = { ...placeReport(ledger, place), state: "owed", attempts: [], nextAttemptAt: null } as const;
    return { place, report };
  });
  return [...ledger.retries.listWaiting(after, limit).map((retry) => reportRetry(ledger, retry)), ...untried];
}

function reportRetry(ledger: Ledger, retry: Retry): Found {
  const nextAttemptAt = new Date(retry.nextAt).toISOString();
  const { attempts } = retry;
  return { place: retry, report: { ...placeReport(ledger, retry), state: "owed", attempts, nextAttemptAt } };
}

function placeReport(
  ledger: Ledger,
  { source, offset }: DeliveryPlace,
): Pick<DeliveryReport, "id" | "topic" | "partition" | "offset"> {
  const { topic, partition } = ledger.sources.get(source)!;
  return { id: deliveryKey(ledger.subscriptionId, source, offset), topic, partition, offset };
}

/** The cursor over dead letters has the order of their deaths where others have the offset. */
function readDeadLetters(
  ledger: Ledger,
  cursor: string | null,
  limit: number,
  reason: string | null = null,
): DeadLetterRow[] {
  const after = (cursor === null ? null : parseListCursor(cursor)) ?? START;
  return ledger.deadLetters.list(after.offset, limit, LIMITS.PAGE_BYTES_MAX, reason);
}

function cursorAfter(ledger: Ledger, letters: readonly DeadLetterRow[], reason: string | null = null): string | null {
  const last = letters.at(-1);
  const isLast = last === undefined || last.seq >= ledger.deadLetters.lastSeq(reason);
  return isLast ? null : formatListCursor({ source: 0, offset: last.seq });
}
