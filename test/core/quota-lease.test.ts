import { describe, expect, it } from "vitest";
import { lend, RATE_WINDOW_MS, takeBack, type LeaseAsk, type WindowCount } from "../../src/core/quota-lease.ts";
import { QuotaWallet } from "../../src/core/quota-wallet.ts";
import { seededRandom } from "../harness/random.ts";

const DAY_MS = RATE_WINDOW_MS.eventsPerDay;
const NOON = 20_000 * DAY_MS + DAY_MS / 2;

const makeAsk = (more: Partial<LeaseAsk> = {}): LeaseAsk => ({
  subject: "app",
  rate: "eventsPerDay",
  limit: 100,
  units: 1,
  ...more,
});

/** A meter and an isolate as the shells connect them, without the way between them. */
class Meter {
  readonly #counts = new Map<string, WindowCount>();

  /** Spends one need from the wallet, or borrows first; false when the window has too little left. */
  spend(wallet: QuotaWallet, need: LeaseAsk, now: number): boolean {
    if (wallet.spend([need], now)) return true;
    for (const returned of wallet.idle(now)) {
      const count = takeBack(this.#counts.get(returned.subject) ?? null, returned);
      if (count !== null) this.#counts.set(returned.subject, count);
    }
    const held = wallet.withdraw([need], now);
    const ask = { ...need, units: need.units - held[0]!.units };
    const { count, answer } = lend(this.#counts.get(need.subject) ?? null, ask, now);
    this.#counts.set(need.subject, count);
    wallet.putBack(held, now);
    wallet.borrow(ask, answer, now);
    return wallet.spend([need], now);
  }
}

describe("leases", () => {
  it("[QUO-9] never let isolates spend more than the limit in a window, whatever becomes of them", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
    const random = seededRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const limit = 1 + Math.floor(random() * 300);
      const meter = new Meter();
      const isolates = Array.from({ length: 5 }, () => new QuotaWallet());
      const spentByDay = new Map<number, number>();
      let now = NOON;
      for (let step = 0; step < 300; step += 1) {
        const at = Math.floor(random() * isolates.length);
        if (random() < 0.02) isolates[at] = new QuotaWallet(); // It was evicted, or its process died.
        const units = 1 + Math.floor(random() * 10);
        if (meter.spend(isolates[at]!, makeAsk({ limit, units }), now)) {
          const day = Math.floor(now / DAY_MS);
          spentByDay.set(day, (spentByDay.get(day) ?? 0) + units);
        }
        now += random() < 0.01 ? DAY_MS / 3 : Math.floor(random() * 4_000);
      }
      expect(Math.max(...spentByDay.values()), `seed ${seed}, limit ${limit}`).toBeLessThanOrEqual(limit);
    }
  });

  it("[QUO-10] give a lone isolate every unit of the limit, in needs of any size", () => {
    for (const limit of [1, 7, 10, 99, 1_000, 12_345]) {
      for (const units of [1, 3, 64]) {
        const [meter, wallet] = [new Meter(), new QuotaWallet()];
        let spent = 0;
        while (meter.spend(wallet, makeAsk({ limit, units }), NOON)) spent += units;
        while (meter.spend(wallet, makeAsk({ limit }), NOON)) spent += 1;
        expect(spent, `${limit} by ${units}`).toBe(limit);
      }
    }
  });

  it("[QUO-9] give to others what one isolate has borrowed and left lying", () => {
    const [meter, rare, busy] = [new Meter(), new QuotaWallet(), new QuotaWallet()];
    expect(meter.spend(rare, makeAsk(), NOON)).toBe(true);
    const drain = (now: number): number => {
      let spent = 0;
      while (meter.spend(busy, makeAsk(), now)) spent += 1;
      return spent;
    };
    expect(drain(NOON)).toBe(90);
    const later = NOON + 10_000;
    // Whatever it asks for next, it brings back what it did not use.
    meter.spend(rare, makeAsk({ subject: "key", limit: 5 }), later);
    expect(drain(later)).toBe(9);
  });

  it("[QUO-9] begin anew when the window turns, and take nothing of the last one along", () => {
    const [meter, wallet] = [new Meter(), new QuotaWallet()];
    const midnight = NOON + DAY_MS / 2;
    expect(meter.spend(wallet, makeAsk({ units: 5 }), midnight - 1)).toBe(true);
    let spent = 0;
    while (meter.spend(wallet, makeAsk(), midnight)) spent += 1;
    expect(spent).toBe(100);
    expect(takeBack({ window: 1, lent: 5 }, { ...makeAsk({ units: 3 }), endsAt: DAY_MS })).toBeNull();
  });

  it("[QUO-9] do not open a past window again when the clock steps back", () => {
    const midnight = NOON + DAY_MS / 2;
    const { count } = lend(null, makeAsk({ units: 100 }), midnight);
    expect(lend(count, makeAsk(), midnight - 1).answer).toMatchObject({ units: 0, endsAt: midnight + DAY_MS });
  });
});
