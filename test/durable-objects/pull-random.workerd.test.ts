/**
 * Random words of workers in random order, the ledger read anew from its rows at each: pulls, acks, nacks and extends by
 * those who hold a delivery and those who did, leases that run out, pauses, retention, redrives, discards, a log that
 * cannot be reached, replays. After every step each matching event stands in one place and no delivery is held twice.
 */
import { expect, it } from "vitest";
import type { LeaseVerdicts, PulledDelivery } from "../../src/core/pull.ts";
import { changeState } from "../../src/durable-objects/subscription/configure.ts";
import { reportJob } from "../../src/durable-objects/subscription/jobs.ts";
import { settleLeases } from "../../src/durable-objects/subscription/pull-settle.ts";
import { Puller } from "../../src/durable-objects/subscription/pull-take.ts";
import { replay } from "../../src/durable-objects/subscription/replay.ts";
import { valueOf } from "../builders/log.ts";
import { seededRandom } from "../harness/random.ts";
import { lineOf, LedgerWorld } from "./ledger-world.ts";

const STEPS = 250;
const SEEDS = [1, 2, 3, Math.floor(Math.random() * 1e9)];
const DAY_MS = 86_400_000;

class RandomWorkers {
  readonly world: LedgerWorld;
  /** By delivery, the lease that holds it now. */
  readonly held = new Map<string, PulledDelivery>();
  /** Every lease that ever was. */
  readonly leases: PulledDelivery[] = [];
  readonly acked = new Set<string>();
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const retry = { maxAttempts: 3, delaysMs: [0], retryOn4xx: false };
    const more = { target: { kind: "pull" }, maxInFlight: 1 + this.#below(40), retry } as const;
    this.world = new LedgerWorld(`workers${seed}`, ["t", "u"], more);
  }

  async begin(): Promise<void> {
    await this.world.define();
    for (const log of this.world.logs.values()) await this.world.accept(log.push());
  }

  async step(): Promise<void> {
    const roll = this.#below(100);
    if (roll < 20) await this.#push();
    else if (roll < 45) await this.#pull();
    else if (roll < 60) await this.#report("acks");
    else if (roll < 72) await this.#report("nacks");
    else if (roll < 78) await this.#report("extends");
    else if (roll < 84) await this.#runOut();
    else if (roll < 87) await this.world.pump();
    else if (roll < 90)
      await this.world.step((ledger) => changeState(ledger, ledger.state === "active" ? "paused" : "active"));
    else if (roll < 93) this.#trim();
    else if (roll < 95) this.world.log("u").reachable = !this.world.log("u").reachable;
    else if (roll < 97) await this.world.redriveAll();
    else if (roll < 99) await this.#replay();
    else await this.world.discardAll();
  }

  async check(): Promise<void> {
    const stats = await this.world.stats();
    const examined = await this.world.step((ledger) =>
      ledger.sources.live().reduce((sum, source) => sum + source.examined, 0),
    );
    expect(stats.matched).toBe(examined + (await this.#replayed()));
    expect(stats.delivered).toBe(this.acked.size);
    expect(stats.inFlight).toBe(this.held.size);
    expect(stats.inFlight).toBeLessThanOrEqual(this.world.definition.maxInFlight);
    expect(this.world.sent).toEqual([]); // Nothing of it goes to the queue.
  }

  /** Everybody is well again: whatever is owed is done. */
  async drain(): Promise<void> {
    this.world.log("u").reachable = true;
    await this.world.setState("active");
    for (let left = await this.#left(), stuck = 0; left > 0;) {
      await this.#runOut();
      await this.#pull();
      await this.#say("acks", [...this.held.values()]);
      const before = left;
      left = await this.#left();
      stuck = left < before ? 0 : stuck + 1;
      if (stuck > 20) throw new Error(`it does not drain: ${left} are left`);
    }
  }

  async #left(): Promise<number> {
    const { owed, lag } = await this.world.stats();
    return owed + lag;
  }

  async #push(): Promise<void> {
    const log = this.world.log(this.#below(2) === 0 ? "t" : "u");
    log.head += this.#below(10);
    if (this.#below(10) === 0) log.told = Math.max(log.firstHeld - 1, log.told - 3);
    await this.world.accept(log.push(1 + this.#below(20)));
  }

  async #pull(): Promise<void> {
    const ask = { revision: 1, max: 1 + this.#below(30), leaseMs: 30_000 };
    const { deliveries } = valueOf(await this.world.step((ledger) => new Puller(ledger, this.world.env).pull(ask)));
    expect(deliveries.length).toBeLessThanOrEqual(ask.max);
    for (const delivery of deliveries) {
      expect([this.held.has(delivery.id), this.acked.has(delivery.id)]).toEqual([false, false]);
      expect(delivery.line).toBe(lineOf(Number(delivery.id.split("_").at(-1))));
      this.held.set(delivery.id, delivery);
      this.leases.push(delivery);
    }
  }

  /** By holders of now and of the past alike. */
  async #report(kind: keyof LeaseVerdicts): Promise<void> {
    const now = [...this.held.values()].filter(() => this.#below(2) === 0);
    const past = this.leases.filter(() => this.#below(20) === 0);
    await this.#say(kind, [...now, ...past]);
  }

  async #say(kind: keyof LeaseVerdicts, deliveries: readonly PulledDelivery[]): Promise<void> {
    const report = { acks: [], nacks: [], extends: [] };
    const words = deliveries.map(({ id, lease }) => ({ id, lease, delayMs: 0, reason: "not now", byMs: 1_000 }));
    const u = this.world.log("u");
    const wasReachable = u.reachable;
    if (kind === "nacks") u.reachable = true; // Who dies must be read: a report that cannot be taken is its sender's.
    const verdicts = valueOf(
      await this.world.step((ledger) =>
        settleLeases(ledger, this.world.env, { ...report, [kind]: words }, this.#random),
      ),
    )[kind];
    u.reachable = wasReachable;
    for (const [index, delivery] of deliveries.entries()) {
      const holds = this.held.get(delivery.id)?.lease === delivery.lease;
      const verdict = verdicts[index];
      expect([delivery.id, verdict !== false && verdict !== null]).toEqual([delivery.id, holds]);
      if (!holds || kind === "extends") continue;
      this.held.delete(delivery.id);
      if (kind === "acks") this.acked.add(delivery.id);
    }
  }

  /** All leases run out, and what waits for its time is due. */
  async #runOut(): Promise<void> {
    const u = this.world.log("u");
    const wasReachable = u.reachable;
    u.reachable = true;
    await this.world.lapse(DAY_MS);
    u.reachable = wasReachable;
    this.held.clear();
    await this.world.step((ledger) => {
      ledger.storage.sql.exec("UPDATE retries SET next_at = 0");
    });
  }

  /** Some events come again by force, unless some of them still do. */
  async #replay(): Promise<void> {
    const first = 1 + this.#below(this.world.log("t").head / 2 + 2);
    const [from, to] = [first, first + 1 + this.#below(20)].map((offset) => ({ kind: "offset", offset }) as const);
    const range = { mode: "force", from: from!, to: to!, topic: "t", partition: null, filter: null } as const;
    await this.world.step((ledger) =>
      replay(ledger, this.world.env, { ...range, dryRun: false, ratePerSecond: null, lastJob: null }),
    );
  }

  /** Deliveries that replays have made, as their jobs tell it. */
  #replayed(): Promise<number> {
    return this.world.step((ledger) => {
      const numbers = Array.from({ length: ledger.jobs.lastNumber() }, (_, index) => index + 1);
      return numbers.reduce((sum, number) => sum + (valueOf(reportJob(ledger, number)).replayed ?? 0), 0);
    });
  }

  #trim(): void {
    const log = this.world.log("t");
    log.firstHeld = Math.min(log.head + 1, log.firstHeld + this.#below(10));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

it.each(SEEDS)("[PUL-2, PUL-3, PUL-4] after each random word of a worker the books balance (seed %i)", async (seed) => {
  const run = new RandomWorkers(seed);
  await run.begin();
  for (let step = 0; step < STEPS; step += 1) {
    await run.step();
    await run.check();
  }
  await run.drain();
  await run.check();
  const stats = await run.world.stats();
  expect(stats).toMatchObject({ owed: 0, inFlight: 0, lag: 0 });
  expect(stats.delivered).toBeGreaterThan(0);
});
