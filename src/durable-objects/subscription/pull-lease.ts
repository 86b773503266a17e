/** Leases as rows: one for the deliveries that a pull took together, each of them fenced for itself. */
import { deliveryKey } from "../../core/keys.ts";
import { earliestEnd, formatLease, placeKey, type Lease } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import type { PulledDelivery } from "../../core/pull.ts";
import type { Dispatch, Leases, OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Settlement } from "./settlement.ts";

/** A dispatch that workers hold. */
export type Leased = Dispatch & { readonly leases: Leases };

/** Null when it is settled to the end, or goes through the queue. */
export function findLeased(ledger: Ledger, id: number): Leased | null {
  const dispatch = ledger.dispatches.get(id);
  return dispatch === null || dispatch.leases === null ? null : { ...dispatch, leases: dispatch.leases };
}

/** What a worker is about to hold. */
export interface ToLease extends DeliveryPlace {
  readonly attempt: number;
  readonly redrive: boolean;
  readonly line: string;
}

/** In the caller's transaction. `parked`: each of them has a row in `retries`. */
export function openLeases(
  ledger: Ledger,
  taken: readonly ToLease[],
  parked: boolean,
  leaseMs: number,
  now: number,
): PulledDelivery[] {
  const pulled: PulledDelivery[] = [];
  for (let from = 0; from < taken.length; from += LIMITS.DISPATCH_DELIVERIES_MAX) {
    const part = taken.slice(from, from + LIMITS.DISPATCH_DELIVERIES_MAX);
    const id = ledger.dispatchIds.next();
    const leases: Record<string, Lease> = {};
    for (const delivery of part) {
      const nonce = randomNonce();
      leases[placeKey(delivery)] = [now, now + leaseMs, nonce];
      pulled.push(pulledOf(ledger, delivery, formatLease(id, nonce), now + leaseMs));
      if (parked) ledger.retries.assign(delivery, id);
    }
    const deliveries = part.map(({ source, offset, attempt }): OpenDelivery => [source, offset, attempt]);
    ledger.dispatches.insertLeased(id, deliveries, parked, now, leases);
  }
  return pulled;
}

function pulledOf(ledger: Ledger, delivery: ToLease, lease: string, leaseUntil: number): PulledDelivery {
  const { source, offset, attempt, redrive, line } = delivery;
  return { id: deliveryKey(ledger.subscriptionId, source, offset), lease, leaseUntil, attempt, redrive, line };
}

/** Nobody guesses the token of a delivery that another worker holds. */
const randomNonce = (): string =>
  [...crypto.getRandomValues(new Uint32Array(3))].map((part) => part.toString(36)).join("");

/** Writes back what is still held: `leases` with what has changed of them. */
export function writeLeases(settlement: Settlement, dispatch: Dispatch, leases: Leases): void {
  const held = dispatch.deliveries
    .map(([source, offset]) => ({ source, offset }))
    .filter((at) => settlement.isOpen(at));
  const left = Object.fromEntries(held.map((place) => [placeKey(place), leases[placeKey(place)]!]));
  settlement.write({ leases: left, leaseUntil: earliestEnd(left) });
}
