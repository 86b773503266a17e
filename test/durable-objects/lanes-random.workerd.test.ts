/**
 * Random steps over lanes, the ledger read anew from its rows at each: consumers that live, that are slow and that
 * vanish, failures, deaths, skips, retries, redrives, lost messages, pauses, retention. After every step each matching
 * event stands in one place, each lane in one dispatch at most, and first acceptances of a lane come in order.
 */
import { expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { groupByLane, laneName } from "../../src/core/lane.ts";
import type { Ordering } from "../../src/core/subscription.ts";
import { ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { changeState } from "../../src/durable-objects/subscription/configure.ts";
import type { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { hastenParked, skipParked } from "../../src/durable-objects/subscription/parked.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import type { ClaimedDelivery, SettledDelivery } from "../../src/durable-objects/rpc.ts";
import { seededRandom } from "../harness/random.ts";
import { ACCEPTED, FAILED, LedgerWorld, outcomeOf, REFUSED, type Claim } from "./ledger-world.ts";

const STEPS = 200;
const LATER_MS = 3_600_000;
const RUNS: readonly (readonly [Ordering, number])[] = [
  ["key", 1],
  ["key", 2],
  ["strict", 3],
  ["key", Math.floor(Math.random() * 1e9)],
];

/** A consumer with a claim: what it has not begun yet, lane by lane, in order. */
interface Consumer {
  readonly dispatch: number;
  readonly by: Claim;
  readonly lanes: ClaimedDelivery[][];
}

class LanesRun {
  readonly world: LedgerWorld;
  readonly #consumers: Consumer[] = [];
  /** The last offset of each lane that a target accepted and the ledger heard of. */
  readonly #lastAccepted = new Map<string, number>();
  readonly #random: () => number;
  delivered = 0;

  constructor(ordering: Ordering, seed: number) {
    this.#random = seededRandom(seed);
    this.world = new LedgerWorld(`lanes${ordering}${seed}`, ["t", "u"], { ordering, maxInFlight: 1 + this.#below(30) });
  }

  async begin(): Promise<void> {
    await this.world.define();
    for (const log of this.world.logs.values()) await this.world.accept(log.push());
  }

  async step(): Promise<void> {
    const roll = this.#below(100);
    if (roll < 25) await this.#push();
    else if (roll < 35) await this.world.pump();
    else if (roll < 55) await this.#claim();
    else if (roll < 85) await this.#work();
    else if (roll < 88) await this.#passTime();
    else if (roll < 90)
      await this.world.step((ledger) => changeState(ledger, ledger.state === "active" ? "paused" : "active"));
    else if (roll < 92) this.#trim();
    else if (roll < 94) await this.#repair();
    else if (roll < 96) await this.world.redriveAll();
    else if (roll < 98)
      this.#consumers.splice(0, this.#below(this.#consumers.length + 1)); // They vanish.
    else this.world.sent.splice(0, this.#below(this.world.sent.length + 1)); // The queue loses messages.
  }

  async check(): Promise<void> {
    const stats = await this.world.stats();
    expect(stats.delivered).toBe(this.delivered);
    await this.world.step((ledger) => {
      const examined = ledger.sources.live().reduce((sum, source) => sum + source.examined, 0);
      expect(stats.matched).toBe(examined);
      expect(ledger.dispatches.openCounts().deliveries).toBeLessThanOrEqual(this.world.definition.maxInFlight);
      checkLanes(ledger);
    });
  }

  /** Everybody is well again: whatever is owed gets through. */
  async drain(): Promise<void> {
    await this.world.setState("active");
    for (let round = 0; round < 500; round += 1) {
      await this.#passTime();
      await this.world.pump();
      for (const id of await this.world.step((ledger) => ledger.dispatches.all().map((dispatch) => dispatch.id))) {
        const by = await this.world.claim(id);
        if (by.kind !== "claimed") continue;
        await this.#settle(
          id,
          by,
          by.deliveries.map((delivery) => ({ delivery, outcome: ACCEPTED })),
          true,
        );
      }
      const { owed, lag } = await this.world.stats();
      if (owed === 0 && lag === 0) return;
    }
    throw new Error("it does not drain");
  }

  async #push(): Promise<void> {
    const log = this.world.log(this.#below(2) === 0 ? "t" : "u");
    log.head += this.#below(8);
    if (this.#below(10) === 0) log.told = Math.max(log.firstHeld - 1, log.told - 3);
    if (this.#below(10) === 0) log.told = log.head;
    await this.world.accept(log.push(1 + this.#below(20)));
  }

  async #claim(): Promise<void> {
    const message = this.world.sent[this.#below(this.world.sent.length || 1)];
    if (message === undefined) return;
    const by = await this.world.claim(message.dispatch);
    if (by.kind !== "claimed") return;
    this.#consumers.push({ dispatch: message.dispatch, by, lanes: groupByLane(by.deliveries) });
  }

  /** One consumer goes on: some lanes a few deliveries further, none past one that was not accepted. */
  async #work(): Promise<void> {
    const consumer = this.#consumers[this.#below(this.#consumers.length || 1)];
    if (consumer === undefined) return;
    const attempts: { delivery: ClaimedDelivery; outcome: AttemptOutcome }[] = [];
    for (const lane of consumer.lanes) {
      let steps = this.#below(4);
      while (steps > 0 && lane.length > 0) {
        const outcome = this.#outcome();
        attempts.push({ delivery: lane.shift()!, outcome });
        if (outcome.kind !== "accepted") lane.length = 0;
        steps -= 1;
      }
    }
    await this.#settle(consumer.dispatch, consumer.by, attempts, this.#below(3) === 0);
  }

  async #settle(
    dispatch: number,
    by: Claim,
    attempts: readonly { readonly delivery: ClaimedDelivery; readonly outcome: AttemptOutcome }[],
    done: boolean,
  ): Promise<void> {
    const outcomes: SettledDelivery[] = attempts.map(({ delivery, outcome }) => outcomeOf(delivery, outcome));
    await this.world.step((ledger) => {
      const open = new Set(ledger.dispatches.get(dispatch)?.deliveries.map(([source, at]) => `${source}/${at}`));
      for (const { delivery, outcome } of attempts) {
        if (outcome.kind === "accepted" && open.has(`${delivery.source}/${delivery.offset}`)) this.#accept(delivery);
      }
      return settleDispatch(ledger, dispatch, by.claim, outcomes, done, Date.now(), this.#random);
    });
  }

  #accept({ source, lane, offset }: ClaimedDelivery): void {
    this.delivered += 1;
    if (lane === undefined) return;
    const name = laneName(source, lane);
    expect(offset).toBeGreaterThan(this.#lastAccepted.get(name) ?? 0);
    this.#lastAccepted.set(name, offset);
  }

  #outcome(): AttemptOutcome {
    const roll = this.#below(20);
    if (roll < 13) return ACCEPTED;
    if (roll < 16) return FAILED;
    if (roll < 18) return REFUSED;
    return roll < 19 ? { kind: "not_attempted" } : { kind: "gone" };
  }

  /** Leases lapse, and what nobody claimed is rung. */
  async #passTime(): Promise<void> {
    await this.world.lapse(LATER_MS);
    await this.world.step((ledger) => {
      ledger.storage.sql.exec("UPDATE retries SET next_at = 0");
      this.world.sent.push(...ringUnclaimed(ledger, Date.now() + LATER_MS, false));
    });
  }

  async #repair(): Promise<void> {
    await this.world.step((ledger) => {
      const parked = ledger.retries.listWaiting({ source: 0, offset: 0 }, 100);
      const chosen = parked[this.#below(parked.length || 1)];
      if (chosen === undefined) return;
      const id = deliveryKey(ledger.subscriptionId, chosen.source, chosen.offset);
      if (this.#below(2) === 0) expect(hastenParked(ledger, id, Date.now()).ok).toBe(true);
      else expect([skipParked(ledger, id).ok, skipParked(ledger, id).ok]).toEqual([true, false]);
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

/** Each lane: in one dispatch at most, or parked, never both; what waits comes after it, and is next when it is free. */
function checkLanes(ledger: Ledger): void {
  const last = new Map<string, number>();
  const busy = new Map<string, unknown>();
  const occupy = (source: number, lane: string, offset: number, holder: unknown): void => {
    const name = laneName(source, lane);
    if (busy.has(name)) expect(busy.get(name)).toBe(holder);
    expect(offset).toBeGreaterThan(last.get(name) ?? 0);
    busy.set(name, holder);
    last.set(name, offset);
  };
  for (const { id, deliveries } of ledger.dispatches.all()) {
    for (const [source, offset, , lane] of deliveries) if (lane !== undefined) occupy(source, lane, offset, id);
  }
  for (const { source, offset, lane } of ledger.retries.listWaiting({ source: 0, offset: 0 }, 10_000)) {
    if (lane !== null) occupy(source, lane, offset, `parked ${offset}`);
  }
  const waiting = ledger.waiting.list({ source: 0, offset: 0 }, 10_000);
  const free = ledger.waiting.freeLanes(10_000).map(({ source, lane }) => laneName(source, lane));
  for (const { source, lane, offset } of waiting) expect(offset).toBeGreaterThan(last.get(laneName(source, lane)) ?? 0);
  const waitingLanes = new Set(waiting.map(({ source, lane }) => laneName(source, lane)));
  expect(free.toSorted()).toEqual([...waitingLanes].filter((name) => !busy.has(name)).toSorted());
}

it.each(RUNS)("[DLV-30, DLV-31] lanes of order %s keep their order at every step (seed %i)", async (ordering, seed) => {
  const run = new LanesRun(ordering, seed);
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
