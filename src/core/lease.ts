/** Leases of pulled deliveries: until when a worker holds one, and the token that fences it. */
import type { DeliveryPlace } from "./ledger-ids.ts";
import { LIMITS } from "./limits.ts";

/** Times in milliseconds since 1970. The nonce is new with each lease of a delivery. */
export type Lease = readonly [since: number, until: number, nonce: string];

/** The key of a delivery among the leases of its dispatch. */
export const placeKey = ({ source, offset }: DeliveryPlace): string => `${source}_${offset}`;

/** The token that a worker gets: it finds the dispatch, and the nonce says whether it still counts. */
export const formatLease = (dispatch: number, nonce: string): string => `${dispatch}.${nonce}`;

export interface LeaseToken {
  readonly dispatch: number;
  readonly nonce: string;
}

/** Null for what `formatLease` cannot have written. */
export function parseLease(text: string): LeaseToken | null {
  const [, dispatch, nonce] = /^([1-9]\d{0,14})\.([0-9a-z]{1,32})$/.exec(text) ?? [];
  return nonce === undefined ? null : { dispatch: Number(dispatch), nonce };
}

/** A lease that has run out is fenced, even while nobody else holds the delivery. */
export const isHeld = (lease: Lease | undefined, nonce: string, now: number): boolean =>
  lease !== undefined && lease[2] === nonce && now < lease[1];

/** Longer by `byMs`, but never beyond the longest lease from now. */
export const extendLease = ([since, until, nonce]: Lease, byMs: number, now: number): Lease => [
  since,
  Math.min(until + byMs, now + LIMITS.PULL_LEASE_MS_MAX),
  nonce,
];

/** When the first of them runs out; 0 for none. */
export function earliestEnd(leases: Readonly<Record<string, Lease>>): number {
  const ends = Object.values(leases).map(([, until]) => until);
  return ends.length === 0 ? 0 : Math.min(...ends);
}
