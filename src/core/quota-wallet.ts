/** The units that one isolate has on loan for one app, and what it knows to be used up. */
import type { LeaseAnswer, LeaseAsk, LeaseReturn } from "./quota-lease.ts";

/** What a day's units lie idle before they are handed back, so that another isolate may have them. */
const IDLE_MS = 5_000;

/** How long a refusal is believed without asking again: other isolates may have handed units back. */
const REFUSAL_MS = 1_000;

interface Lease {
  left: number;
  endsAt: number;
  /** Before this moment the meter is known to have no more than `remaining`. */
  refusedUntil: number;
  remaining: number;
  usedAt: number;
}

export interface Refusal {
  readonly ask: LeaseAsk;
  /** What could still be had, here and at the meter. */
  readonly remaining: number;
  readonly endsAt: number;
}

/** Units that were taken out for a need: all of it, or as much as there was. */
export interface Held {
  readonly need: LeaseAsk;
  readonly units: number;
  readonly endsAt: number;
}

export class QuotaWallet {
  readonly #leases = new Map<string, Lease>();

  /** Spends what all of these need, or nothing. */
  spend(needs: readonly LeaseAsk[], now: number): boolean {
    const leases = needs.map((need) => this.#lease(need, now));
    if (!needs.every(({ units }, index) => leases[index]!.left >= units)) return false;
    for (const [index, { units }] of needs.entries()) {
      leases[index]!.left -= units;
      leases[index]!.usedAt = now;
    }
    return true;
  }

  /** Takes out what there is of these needs, so that nobody else spends it while the rest is being borrowed. */
  withdraw(needs: readonly LeaseAsk[], now: number): Held[] {
    return needs.map((need) => {
      const lease = this.#lease(need, now);
      const units = Math.min(lease.left, need.units);
      lease.left -= units;
      return { need, units, endsAt: lease.endsAt };
    });
  }

  /** What has lapsed meanwhile is lost. */
  putBack(held: readonly Held[], now: number): void {
    for (const { need, units, endsAt } of held) {
      const lease = this.#lease(need, now);
      const isNew = lease.endsAt === Infinity;
      if (now >= endsAt || (!isNew && lease.endsAt !== endsAt)) continue;
      lease.endsAt = endsAt;
      lease.left += units;
    }
  }

  /** The first of these that the meter is known to have too little for. */
  refusal(needs: readonly LeaseAsk[], now: number): Refusal | null {
    for (const ask of needs) {
      const { left, remaining, refusedUntil, endsAt } = this.#lease(ask, now);
      if (now < refusedUntil && ask.units > left + remaining) return { ask, remaining: left + remaining, endsAt };
    }
    return null;
  }

  borrow(ask: LeaseAsk, { units, remaining, endsAt }: LeaseAnswer, now: number): void {
    const lease = this.#leaseOf(ask, endsAt, now);
    lease.left += units;
    lease.remaining = remaining;
  }

  /** Remembers that the meter had too little. */
  refuse(ask: LeaseAsk, { remaining, endsAt }: LeaseAnswer, now: number): void {
    const lease = this.#leaseOf(ask, endsAt, now);
    lease.remaining = remaining;
    lease.refusedUntil = Math.min(endsAt, now + REFUSAL_MS);
  }

  /** Takes out what has lain idle; what of it is of no window any more is forgotten. */
  idle(now: number): LeaseReturn[] {
    const returns: LeaseReturn[] = [];
    for (const [name, { left, endsAt, usedAt }] of this.#leases) {
      if (now < endsAt && now - usedAt < IDLE_MS) continue;
      this.#leases.delete(name);
      const [subject, rate] = JSON.parse(name) as [string, LeaseAsk["rate"]];
      if (now < endsAt && left > 0) returns.push({ subject, rate, units: left, endsAt });
    }
    return returns;
  }

  /** The lease in the window that ends then. Units of an earlier window do not come along into a later one. */
  #leaseOf(ask: LeaseAsk, endsAt: number, now: number): Lease {
    const lease = this.#lease(ask, now);
    if (lease.endsAt !== endsAt) lease.left = 0;
    lease.endsAt = endsAt;
    lease.usedAt = now;
    return lease;
  }

  #lease({ subject, rate }: LeaseAsk, now: number): Lease {
    const name = JSON.stringify([subject, rate]);
    const known = this.#leases.get(name);
    if (known !== undefined && now < known.endsAt) return known;
    const fresh = { left: 0, endsAt: Infinity, refusedUntil: 0, remaining: 0, usedAt: now };
    this.#leases.set(name, fresh);
    return fresh;
  }
}
