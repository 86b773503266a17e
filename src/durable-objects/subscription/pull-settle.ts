/** Workers report on what they hold. Whoever holds it no more is told so, even when nobody else does. */
import type { AttemptOutcome } from "../../core/delivery-decision.ts";
import { extendLease, isHeld, parseLease, placeKey, type Lease } from "../../core/lease.ts";
import { parseDeliveryId, type DeliveryPlace } from "../../core/ledger-ids.ts";
import type { LeaseClaim, LeaseReport, LeaseVerdicts } from "../../core/pull.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import type { Ledger } from "./ledger.ts";
import { findLeased, writeLeases, type Leased } from "./pull-lease.ts";
import { LINES_AT_ONCE, linesOfDying, type Lines } from "./pull-lines.ts";
import { Settlement } from "./settlement.ts";

/**
 * Acks, then nacks, then extends: of two words about one delivery the second comes too late. Fails with
 * `subscription_not_found`; rejects when an event that is about to die cannot be read, and then its lease goes on.
 */
export async function settleLeases(
  ledger: Ledger,
  env: Env,
  report: LeaseReport,
  random: () => number,
): Promise<Result<LeaseVerdicts>> {
  if (ledger.definition === null) return fail("subscription_not_found");
  const acks = settleTogether(ledger, report.acks.map(named(ledger, () => ACCEPTED)), NO_LINES, random);
  const nacks: boolean[] = [];
  for (let from = 0; from < report.nacks.length; from += LINES_AT_ONCE) {
    const part = report.nacks
      .slice(from, from + LINES_AT_ONCE)
      .map(named(ledger, ({ delayMs, reason }): AttemptOutcome => ({ kind: "nacked", delayMs, reason })));
    const lines = await linesOfDying(
      ledger,
      env,
      part.flatMap(({ place, dispatch }) => (place === null ? [] : { ...place, dispatch })),
    );
    if (ledger.definition === null) return fail("subscription_not_found");
    nacks.push(...settleTogether(ledger, part, lines, random));
  }
  return ok({ acks, nacks, extends: extendTogether(ledger, report.extends) });
}

const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 200 };
const NO_LINES: Lines = new Map();

/** A word about a delivery that its sender believes to hold. Null: the ids are none of ours. */
interface Named {
  readonly place: DeliveryPlace | null;
  readonly dispatch: number;
  readonly nonce: string;
  readonly outcome: AttemptOutcome;
}

const named =
  <Claim extends LeaseClaim>(ledger: Ledger, outcome: (claim: Claim) => AttemptOutcome) =>
  (claim: Claim): Named => ({
    place: parseDeliveryId(ledger.subscriptionId, claim.id),
    ...(parseLease(claim.lease) ?? { dispatch: 0, nonce: "" }),
    outcome: outcome(claim),
  });

/** One transaction. Answers which of them were still held. */
function settleTogether(ledger: Ledger, words: readonly Named[], lines: Lines, random: () => number): boolean[] {
  const now = Date.now();
  const verdicts = words.map(() => false);
  ledger.storage.transactionSync(() => {
    for (const [id, indexes] of Map.groupBy(words.keys(), (index) => words[index]!.dispatch)) {
      const dispatch = findLeased(ledger, id);
      if (dispatch === null) continue;
      const settlement = new Settlement(ledger, dispatch, now);
      for (const index of indexes) verdicts[index] = settleOne(settlement, dispatch, words[index]!, lines, random, now);
      if (settlement.settled > 0) writeLeases(settlement, dispatch, dispatch.leases);
    }
  });
  return verdicts;
}

function settleOne(
  settlement: Settlement,
  dispatch: Leased,
  { place, nonce, outcome }: Named,
  lines: Lines,
  random: () => number,
  now: number,
): boolean {
  const lease = place === null ? undefined : dispatch.leases[placeKey(place)];
  if (place === null || !isHeld(lease, nonce, now) || !settlement.isOpen(place)) return false;
  const line = lines.get(placeKey(place));
  const [since] = lease!;
  const attempted = { ...place, startedAt: since, durationMs: now - since, line: line ?? null };
  settlement.apply({ ...attempted, outcome: line === null ? { kind: "expired" } : outcome }, random());
  return true;
}

/** One transaction. Answers until when each is held; null: no more. */
function extendTogether(ledger: Ledger, claims: LeaseReport["extends"]): (number | null)[] {
  const now = Date.now();
  const words = claims.map(named(ledger, () => ACCEPTED));
  const ends = claims.map((): number | null => null);
  ledger.storage.transactionSync(() => {
    for (const [id, indexes] of Map.groupBy(words.keys(), (index) => words[index]!.dispatch)) {
      const dispatch = findLeased(ledger, id);
      if (dispatch === null) continue;
      const settlement = new Settlement(ledger, dispatch, now);
      const leases: Record<string, Lease> = { ...dispatch.leases };
      for (const index of indexes) {
        const { place, nonce } = words[index]!;
        const lease = place === null ? undefined : leases[placeKey(place)];
        if (place === null || !isHeld(lease, nonce, now) || !settlement.isOpen(place)) continue;
        leases[placeKey(place)] = extendLease(lease!, claims[index]!.byMs, now);
        ends[index] = leases[placeKey(place)]![1];
      }
      writeLeases(settlement, dispatch, leases);
    }
  });
  return ends;
}
