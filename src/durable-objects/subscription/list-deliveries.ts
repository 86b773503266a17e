/** What operators see of the ledger: owed and in-flight deliveries, dead letters. */
import { foldExcerpt } from "../../core/dead-letter-fingerprint.ts";
import { compileFilter } from "../../core/filter.ts";
import { deliveryKey } from "../../core/keys.ts";
import { comparePlaces, formatListCursor, parseListCursor, type DeliveryPlace } from "../../core/ledger-ids.ts";
import type { DeadLetter, DeadLetterGroup, DeadLetterQuery } from "../../core/dead-letter.ts";
import type { DeliveryReport } from "../../core/subscription-report.ts";
import type { ReportPage } from "../rpc.ts";
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

/** In the order of their deaths. A page may be short, or empty, and yet not the last: its cursor says so. */
export function listDeadLetters(
  ledger: Ledger,
  cursor: string | null,
  limit: number,
  query: DeadLetterQuery = ANY_DEAD,
): ReportPage<DeadLetter> {
  const { letters, next } = readDeadLetters(ledger, cursor, limit, query);
  return {
    items: letters.map((letter) => ({
      ...placeReport(ledger, letter),
      reason: letter.reason,
      fingerprint: letter.fingerprint,
      diedAt: new Date(letter.diedAt).toISOString(),
      redrives: letter.redrives,
      attempts: letter.attempts,
      event: letter.line,
    })),
    cursor: next,
  };
}

/** Dead letters in the form of deliveries. */
export function listDead(ledger: Ledger, cursor: string | null, limit: number): ReportPage<DeliveryReport> {
  const { letters, next } = readDeadLetters(ledger, cursor, limit, ANY_DEAD);
  return {
    items: letters.map((letter) => ({
      ...placeReport(ledger, letter),
      state: "dead",
      redrives: letter.redrives,
      attempts: letter.attempts,
      nextAttemptAt: null,
    })),
    cursor: next,
  };
}

/** By fingerprint, which is the cursor as well. */
export function listDeadLetterGroups(
  ledger: Ledger,
  cursor: string | null,
  limit: number,
): ReportPage<DeadLetterGroup> {
  const groups = ledger.deadLetters.groups(cursor, limit);
  return {
    items: groups.map(({ fingerprint, count, firstDiedAt, sample }) => {
      const { status = null, error = null, excerpt = "" } = sample.attempts.at(-1) ?? {};
      return {
        fingerprint,
        reason: sample.reason,
        status,
        error,
        excerpt: foldExcerpt(excerpt),
        count,
        firstDiedAt: new Date(firstDiedAt).toISOString(),
        lastDiedAt: new Date(sample.diedAt).toISOString(),
      };
    }),
    cursor: groups.length < limit ? null : groups.at(-1)!.fingerprint,
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
  redrives: row.redrives,
  attempts: row.attempts,
  nextAttemptAt: null,
});

interface Found {
  readonly place: DeliveryPlace;
  readonly report: DeliveryReport;
}

const UNTRIED = { redrives: 0, attempts: [] } as const;

/** `in_flight` is what a consumer holds; what was sent and nobody has claimed is only owed. */
function listDispatched(ledger: Ledger, asked: "owed" | "in_flight", after: DeliveryPlace): Found[] {
  const wanted = ledger.dispatches.all().filter(({ leaseUntil }) => asked === "owed" || leaseUntil > 0);
  return wanted.flatMap((dispatch) =>
    dispatch.deliveries.flatMap(([source, offset]): Found[] => {
      const place = { source, offset };
      if (comparePlaces(place, after) <= 0) return [];
      const state = dispatch.leaseUntil > 0 ? "in_flight" : "owed";
      const retry = dispatch.parked ? ledger.retries.get(place) : null;
      const { redrives, attempts } = retry ?? UNTRIED;
      return [{ place, report: { ...placeReport(ledger, place), state, redrives, attempts, nextAttemptAt: null } }];
    }),
  );
}

/** What waits for its next attempt, and what waits behind that in its lane. */
function listWaiting(ledger: Ledger, after: DeliveryPlace, limit: number): Found[] {
  const untried = ledger.waiting.list(after, limit).map((place): Found => {
    const report = { ...placeReport(ledger, place), state: "owed", ...UNTRIED, nextAttemptAt: null } as const;
    return { place, report };
  });
  return [...ledger.retries.listWaiting(after, limit).map((retry) => reportRetry(ledger, retry)), ...untried];
}

function reportRetry(ledger: Ledger, retry: Retry): Found {
  const nextAttemptAt = new Date(retry.nextAt).toISOString();
  const { redrives, attempts } = retry;
  return { place: retry, report: { ...placeReport(ledger, retry), state: "owed", redrives, attempts, nextAttemptAt } };
}

function placeReport(
  ledger: Ledger,
  { source, offset }: DeliveryPlace,
): Pick<DeliveryReport, "id" | "topic" | "partition" | "offset"> {
  const { topic, partition } = ledger.sources.get(source)!;
  return { id: deliveryKey(ledger.subscriptionId, source, offset), topic, partition, offset };
}

const ANY_DEAD: DeadLetterQuery = { filter: null, reason: null, fingerprint: null };

/** The cursor over dead letters has the order of their deaths where others have the offset. */
function readDeadLetters(
  ledger: Ledger,
  cursor: string | null,
  limit: number,
  { filter, reason, fingerprint }: DeadLetterQuery,
): { readonly letters: readonly DeadLetterRow[]; readonly next: string | null } {
  const after = ((cursor === null ? null : parseListCursor(cursor)) ?? START).offset;
  const matches = filter === null ? null : compileFilter(filter).matches;
  const range = { after, until: ledger.deadLetters.lastSeq() };
  const { letters, through, isLast } = ledger.deadLetters.read(range, limit, { reason, fingerprint, matches });
  return { letters, next: isLast ? null : formatListCursor({ source: 0, offset: through }) };
}
