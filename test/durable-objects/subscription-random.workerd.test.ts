/**
 * Random steps in random order, the ledger read anew from its rows at each: pushes, pulls, claims, settles whole and in
 * part, by consumers that live and by those whose claim is over, lost and doubled messages, lapses, pauses, an
 * endpoint that is held back, retention, redrives, discards, seeks, replays that are slow, cancelled or neither. After
 * every step each matching event stands in exactly one place; at the end nothing is owed.
 */
import { expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { changeState } from "../../src/durable-objects/subscription/configure.ts";
import { Pump } from "../../src/durable-objects/subscription/pump.ts";
import { runSlice } from "../../src/durable-objects/subscription/job-runner.ts";
import { cancelJob, reportJob } from "../../src/durable-objects/subscription/jobs.ts";
import type { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { listDeliveries } from "../../src/durable-objects/subscription/list-deliveries.ts";
import { replay } from "../../src/durable-objects/subscription/replay.ts";
import { seek } from "../../src/durable-objects/subscription/seek.ts";
import { lookSettled } from "../../src/durable-objects/subscription/settled.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { claimForPublisher } from "../../src/durable-objects/subscription/sync-claim.ts";
import type { ClaimedDelivery } from "../../src/durable-objects/rpc.ts";
import { valueOf } from "../builders/log.ts";
import { seededRandom } from "../harness/random.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, outcomeOf, REFUSED, type Claim } from "./ledger-world.ts";

const STEPS = 300;
const SEEDS = [1, 2, 3, Math.floor(Math.random() * 1e9)];
const BATCH = { maxEvents: 4, maxBytes: 1_000, maxWaitMs: 1 };
const RUNS: readonly (readonly [number, Partial<SubscriptionDefinition>])[] = [
  ...SEEDS.map((seed) => [seed, {}] as const),
  ...SEEDS.map((seed) => [seed, { mode: "sync" }] as const),
  [4, { batch: BATCH }],
  [5, { batch: BATCH, ratePerSecond: 10_000 }],
];
const LATER_MS = 3_600_000;

class RandomRun {
  readonly world: LedgerWorld;
  readonly claims: { readonly dispatch: number; readonly by: Claim }[] = [];
  /** Deliveries that a target accepted and the ledger heard of. */
  readonly accepted = new Set<string>();
  /** How many events seeks have had examined again. */
  again = 0;
  /** Replays that were begun, and how. */
  readonly replays = new Map<string, string>();
  readonly #random: () => number;

  constructor(seed: number, more: Partial<SubscriptionDefinition>) {
    this.#random = seededRandom(seed);
    this.world = new LedgerWorld(`random${more.mode ?? ""}${seed}`, ["t", "u"], {
      maxInFlight: 4 + this.#below(30),
      ...more,
    });
  }

  /** The logs have told where the subscription begins. */
  async begin(): Promise<void> {
    await this.world.define();
    for (const log of this.world.logs.values()) await this.world.accept(log.push());
  }

  async step(): Promise<void> {
    const roll = this.#below(100);
    if (roll < 23) await this.#push();
    else if (roll < 33) await this.world.pump();
    else if (roll < 58) await this.#claim();
    else if (roll < 83) await this.#settle();
    else if (roll < 87) await this.#passTime();
    else if (roll < 90)
      await this.world.step((ledger) => changeState(ledger, ledger.state === "active" ? "paused" : "active"));
    else if (roll < 92) this.#trim();
    else if (roll < 93) await this.world.redriveAll();
    else if (roll < 94) await this.world.discardAll();
    else if (roll < 95) await this.#seek();
    else if (roll < 98) await this.#replay();
    else if (roll < 99) await this.#hold();
    else this.world.sent.splice(0, this.#below(this.world.sent.length + 1)); // The queue loses messages.
  }

  async check(): Promise<void> {
    const stats = await this.world.stats();
    const { examined, open } = await this.world.step((ledger) => {
      checkSettled(ledger);
      const all = ledger.sources.live().reduce((sum, source) => sum + source.examined, 0);
      return { examined: all, open: ledger.dispatches.openCounts().deliveries };
    });
    const replayed = await this.#replayed();
    expect(stats.matched).toBe(examined + this.again + replayed); // Without a filter every event matches.
    expect(stats.delivered).toBe(this.accepted.size);
    expect(open).toBeLessThanOrEqual(this.world.definition.maxInFlight);
  }

  /** Everybody is well again: whatever is owed gets through. */
  async drain(): Promise<void> {
    await this.world.setState("active");
    await this.world.step((ledger) => ledger.watchEndpoint(null));
    for (let round = 0; round < 500; round += 1) {
      await this.#passTime();
      await this.world.pump();
      const ids = await this.world.step((ledger) => ledger.dispatches.all().map(({ id }) => id));
      for (const dispatch of ids) {
        const by = await this.world.claim(dispatch);
        if (by.kind === "claimed") await this.#settleWith(dispatch, by, by.deliveries, () => ACCEPTED, true);
      }
      const { owed, lag } = await this.world.stats();
      const jobs = await this.world.step((ledger) => ledger.jobs.countRunning());
      if (owed === 0 && lag === 0 && jobs === 0) return;
    }
    throw new Error("it does not drain");
  }

  async #push(): Promise<void> {
    const log = this.world.log(this.#below(2) === 0 ? "t" : "u");
    log.head += this.#below(8);
    if (this.#below(10) === 0) log.told = Math.max(log.firstHeld - 1, log.told - 3); // The log woke up and tells again.
    if (this.#below(10) === 0) log.told = log.head; // The push was lost, and the log does not know.
    const push = log.push(1 + this.#below(20));
    await this.world.accept(push);
  }

  async #claim(): Promise<void> {
    if (this.world.definition.mode === "sync" && this.#below(2) === 0) return this.#claimForPublisher();
    const message = this.world.sent[this.#below(this.world.sent.length || 1)];
    if (message === undefined) return;
    const answer = await this.world.claim(message.dispatch);
    if (answer.kind !== "claimed") return;
    expect(answer.deliveries.filter(({ id }) => this.accepted.has(id))).toEqual([]);
    this.claims.push({ dispatch: message.dispatch, by: answer });
  }

  /** A publish comes for some of the newest events, which the ledger may have examined or not, or let go already. */
  async #claimForPublisher(): Promise<void> {
    const { topic, epoch, head } = this.world.log(this.#below(2) === 0 ? "t" : "u");
    const offsets = Array.from({ length: Math.min(head, 6) }, (_, index) => head - index);
    const places = offsets.filter(() => this.#below(2) === 0).map((offset) => ({ partition: 0, offset }));
    const { world } = this;
    const claim = await world.step((ledger) => {
      const pump = new Pump(ledger, world.env, (messages) => world.sent.push(...messages));
      return claimForPublisher(ledger, () => pump.run(), { topic, epoch, places });
    });
    const { answer, dispatch, queued } = claim;
    const claimed = answer.kind === "claimed" ? answer.deliveries : [];
    expect(claimed.filter(({ id }) => this.accepted.has(id))).toEqual([]);
    for (const place of [...claimed, ...queued]) expect(places.map(({ offset }) => offset)).toContain(place.offset);
    if (answer.kind === "claimed") this.claims.push({ dispatch, by: answer });
  }

  async #settle(): Promise<void> {
    const chosen = this.claims[this.#below(this.claims.length || 1)];
    if (chosen === undefined) return;
    const { dispatch, by } = chosen;
    const some = by.deliveries.filter(() => this.#below(2) === 0);
    await this.#settleWith(dispatch, by, some, () => this.#outcome(), this.#below(2) === 0);
  }

  async #settleWith(
    dispatch: number,
    by: Claim,
    deliveries: readonly ClaimedDelivery[],
    outcome: () => AttemptOutcome,
    done: boolean,
  ): Promise<void> {
    const outcomes = deliveries.map((delivery) => outcomeOf(delivery, outcome()));
    await this.world.step((ledger) => {
      const open = new Set(
        ledger.dispatches.get(dispatch)?.deliveries.map(([source, offset]) => `${source}/${offset}`),
      );
      for (const [
        index,
        {
          source,
          offset,
          outcome: { kind },
        },
      ] of outcomes.entries()) {
        if (kind === "accepted" && open.has(`${source}/${offset}`)) this.accepted.add(deliveries[index]!.id);
      }
      return settleDispatch(ledger, dispatch, by.claim, outcomes, done, Date.now(), this.#random);
    });
  }

  #outcome(): AttemptOutcome {
    const roll = this.#below(20);
    if (roll < 10) return ACCEPTED;
    if (roll < 15) return FAILED;
    if (roll < 17) return REFUSED;
    return roll < 19 ? { kind: "not_attempted" } : { kind: "gone" };
  }

  /** Leases lapse, and what nobody claimed is rung. */
  async #passTime(): Promise<void> {
    await this.world.lapse(LATER_MS);
    await this.world.step((ledger) => {
      ledger.storage.sql.exec("UPDATE retries SET next_at = 0");
      // A job that goes no faster than its rate is due a second after its last slice, however quick the test is.
      const [now, later] = [Date.now(), Date.now() + LATER_MS];
      for (const job of ledger.jobs.due(later)) ledger.storage.transactionSync(() => runSlice(ledger, job, now));
      this.world.sent.push(...ringUnclaimed(ledger, Date.now() + LATER_MS, false));
    });
  }

  /** The endpoint's breaker opens, its probe is due, or it is closed again. */
  async #hold(): Promise<void> {
    const heldUntil = [Date.now() + LATER_MS, Date.now() - 1, null][this.#below(3)]!;
    await this.world.step((ledger) => ledger.watchEndpoint(heldUntil === null ? null : { heldUntil }));
  }

  async #seek(): Promise<void> {
    const { head } = this.world.log("t");
    const to = { kind: "offset", offset: 1 + this.#below(head + 1) } as const;
    const ask = { to, topic: "t", partition: null, dryRun: this.#below(3) === 0 };
    const moved = await this.world.step((ledger) => seek(ledger, this.world.env, ask));
    if (moved.ok && !ask.dryRun) this.again += moved.value[0]!.again;
  }

  async #replay(): Promise<void> {
    const first = 1 + this.#below(this.world.log("t").head / 2 + 2);
    const [from, to] = [first, first + 1 + this.#below(20)].map((offset) => ({ kind: "offset", offset }) as const);
    const mode = (["force", "force", "missing", "failed"] as const)[this.#below(4)]!;
    const slow = this.#below(2) === 0 ? 1 + this.#below(20) : null;
    const ask = { mode, from: from!, to: to!, topic: "t", partition: null, filter: null, lastJob: null };
    await this.world.step(async (ledger) => {
      if (this.#below(4) === 0) cancelJob(ledger, ledger.jobs.lastNumber(), Date.now());
      const begun = await replay(ledger, this.world.env, { ...ask, ratePerSecond: slow, dryRun: this.#below(4) === 0 });
      if (!begun.ok) expect(["replay_under_way", "too_many_jobs"]).toContain(begun.failure.code);
      else if (begun.value.job !== null) this.replays.set(begun.value.job, mode);
    });
  }

  /** How many deliveries replays have made, as their jobs tell it. */
  #replayed(): Promise<number> {
    return this.world.step((ledger) => {
      const reports = [...this.replays.keys()].map((job) => valueOf(reportJob(ledger, Number(job.split("_").at(-1)))));
      return reports.reduce((sum, { replayed = 0 }) => sum + replayed, 0);
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

/** Against the list of what is owed, without second looks at what was settled before. */
function checkSettled(ledger: Ledger): void {
  const { items } = listDeliveries(ledger, "owed", null, 10_000);
  const owed = items.filter(({ id, topic, redrives }) => {
    return topic === "t" && redrives === 0 && ledger.sources.get(Number(id.split("_").at(-2)))!.replay === 0;
  });
  const { examined } = ledger.sources.find({ topic: "t", partition: 0, epoch: EPOCH })!;
  const through = Math.min(examined, ...owed.map(({ offset }) => offset - 1));
  const minCursor = { epoch: EPOCH, offsets: new Map() };
  const { offsets } = valueOf(lookSettled(ledger, { revision: 1, topic: "t", minCursor }));
  expect(offsets).toEqual(new Map([[0, through]]));
}

let replays = 0;

it.each(RUNS)(
  "[DLV-1, SYN-4, RPL-3, RPL-6, PRJ-4] after each random step every event is in exactly one place (seed %i, %o)",
  async (seed, more) => {
    const run = new RandomRun(seed, more);
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
    replays += run.replays.size;
  },
);

it("[RPL-6] the control: there were replays among the steps", () => {
  expect(replays).toBeGreaterThan(10);
});
