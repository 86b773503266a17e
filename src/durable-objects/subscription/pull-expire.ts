/** Leases whose worker was never heard of again: each was an attempt, and what it held is due at once. */
import { placeKey } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import type { Ledger } from "./ledger.ts";
import { findLeased, writeLeases, type Leased } from "./pull-lease.ts";
import { LINES_AT_ONCE, linesOfDying, type Lines } from "./pull-lines.ts";
import { Settlement } from "./settlement.ts";

/** Ends those of one row that have run out. Where an event that dies cannot be read, its end comes again later. */
export async function expireLeases(
  ledger: Ledger,
  env: Env,
  id: number,
  now: number,
  random: () => number,
): Promise<void> {
  for (;;) {
    const dispatch = findLeased(ledger, id);
    if (dispatch === null || ledger.definition === null) return;
    const ended = endedIn(dispatch, now);
    const part = ended.slice(0, LINES_AT_ONCE);
    const lines = await linesOfDying(
      ledger,
      env,
      part.map((place) => ({ ...place, dispatch: id })),
    ).catch(() => null);
    if (lines === null) return postpone(ledger, id, now);
    ledger.storage.transactionSync(() => expireEnded(ledger, id, part, lines, now, random));
    if (ended.length === part.length) return;
  }
}

const endedIn = ({ deliveries, leases }: Leased, now: number): DeliveryPlace[] =>
  deliveries
    .map(([source, offset]) => ({ source, offset }))
    .filter((place) => (leases[placeKey(place)]?.[1] ?? 0) <= now);

/** What has ended is held by nobody, whatever the row says: it only tells when to look again. */
function postpone(ledger: Ledger, id: number, now: number): void {
  const dispatch = ledger.dispatches.get(id);
  if (dispatch !== null) ledger.dispatches.update({ ...dispatch, leaseUntil: now + LIMITS.TELL_AGAIN_MS });
}

function expireEnded(
  ledger: Ledger,
  id: number,
  places: readonly DeliveryPlace[],
  lines: Lines,
  now: number,
  random: () => number,
): void {
  const dispatch = findLeased(ledger, id);
  if (dispatch === null || ledger.definition === null) return;
  const settlement = new Settlement(ledger, dispatch, now);
  const stillEnded = new Set(endedIn(dispatch, now).map(placeKey)); // An extend may have come in between.
  const expired = places.filter((place) => stillEnded.has(placeKey(place)));
  for (const place of expired) {
    const line = lines.get(placeKey(place));
    const [since] = dispatch.leases[placeKey(place)] ?? [now];
    const outcome = line === null ? ({ kind: "expired" } as const) : ({ kind: "lease_expired" } as const);
    settlement.apply({ ...place, outcome, startedAt: since, durationMs: now - since, line: line ?? null }, random());
  }
  writeLeases(settlement, dispatch, dispatch.leases);
  logStage("delivery.lease_expired", {
    app: ledger.app,
    subscription: ledger.subscriptionId,
    dispatch: id,
    count: expired.length,
  });
}
