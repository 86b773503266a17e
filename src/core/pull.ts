/** What pull workers ask of a ledger, what they hold, and what they say of it. */

export interface PullAsk {
  /** Of the definition that the caller has read: its patterns are what the worker's scopes were held against. */
  readonly revision: number;
  readonly max: number;
  readonly leaseMs: number;
}

/** A delivery that a worker holds until `leaseUntil`; what it says of it must bring `lease`. */
export interface PulledDelivery {
  /** `deliveryKey(…)`. */
  readonly id: string;
  /** Opaque, and another at each lease of the delivery. */
  readonly lease: string;
  /** Milliseconds since 1970. */
  readonly leaseUntil: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly redrive: boolean;
  readonly line: string;
}

export interface PullAnswer {
  readonly deliveries: readonly PulledDelivery[];
  /** When there are none: the next that failed before is due then; null: nobody knows. */
  readonly nextAt: number | null;
}

export interface LeaseClaim {
  readonly id: string;
  readonly lease: string;
}

export interface LeaseReport {
  readonly acks: readonly LeaseClaim[];
  /** `delayMs` null: as the subscription's schedule says. */
  readonly nacks: readonly (LeaseClaim & { readonly delayMs: number | null; readonly reason: string })[];
  readonly extends: readonly (LeaseClaim & { readonly byMs: number })[];
}

/** In the order of the report. False and null: fenced, and nothing was done. */
export interface LeaseVerdicts {
  readonly acks: readonly boolean[];
  readonly nacks: readonly boolean[];
  /** Until when the lease holds now, milliseconds since 1970. */
  readonly extends: readonly (number | null)[];
}
