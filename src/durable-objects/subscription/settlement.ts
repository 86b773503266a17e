/**
 * Outcomes of one dispatch becoming rows. Made and written in one transaction of the caller: what leaves the dispatch
 * arrives somewhere (delivered, retries, dead letters, expired) in the same commit, so the sum holds at every instant.
 */
import { unreachable } from "../../core/assert.ts";
import { appendAttempt, recordAttempt } from "../../core/attempt-history.ts";
import { deadLetterFingerprint } from "../../core/dead-letter-fingerprint.ts";
import { decideAfterAttempt, type AttemptRecord } from "../../core/delivery-decision.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { laneName } from "../../core/lane.ts";
import { traceIdIn } from "../../core/trace-context.ts";
import { logStage } from "../../observability/log.ts";
import type { SettledDelivery } from "../rpc.ts";
import { decideForJob } from "./batch-deliveries.ts";
import { noteDeath } from "./note-death.ts";
import { noteOperation } from "./note-operation.ts";
import type { Dispatch, OpenDelivery } from "./dispatch-store.ts";
import { freeLanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import { giveUp } from "./passed-over.ts";
import { logExpired, writeDispatch } from "./retire.ts";
import type { Retry } from "./retry-store.ts";
import type { LaneName } from "./waiting-store.ts";

export class Settlement {
  readonly #ledger: Ledger;
  readonly #dispatch: Dispatch;
  readonly #now: number;
  readonly #open: Map<string, OpenDelivery>;
  readonly #delivered: Record<number, number>;
  readonly #dead = new Map<number, number>();
  /** The target has accepted something. */
  #hasTaken = false;
  readonly #expired = new Map<number, number>();
  /** Lanes that a delivery has left, by name. */
  readonly #lanes = new Map<string, LaneName>();
  #settled = 0;

  constructor(ledger: Ledger, dispatch: Dispatch, now: number) {
    this.#ledger = ledger;
    this.#dispatch = dispatch;
    this.#now = now;
    this.#open = new Map(dispatch.deliveries.map((delivery) => [`${delivery[0]}/${delivery[1]}`, delivery]));
    this.#delivered = { ...dispatch.delivered };
  }

  /** How many deliveries have left the dispatch. */
  get settled(): number {
    return this.#settled;
  }

  isOpen({ source, offset }: DeliveryPlace): boolean {
    return this.#open.has(`${source}/${offset}`);
  }

  /** Ignores what is not open in this dispatch: it was settled before. `random` is in [0, 1). */
  apply(settled: SettledDelivery, random: number): void {
    const { source, offset, outcome } = settled;
    const delivery = this.#open.get(`${source}/${offset}`);
    if (delivery === undefined) return;
    // Whatever stands before it in its lane is settled first.
    if (outcome.kind !== "accepted" && !this.#isHead(delivery)) return;
    const decided = decideAfterAttempt(outcome, delivery[2], this.#ledger.definition!.retry, random);
    const decision = decideForJob(this.#ledger, settled, decided);
    switch (decision.kind) {
      case "return":
        return; // It stays where it is and costs nothing.
      case "delivered":
        this.#delivered[source] = (this.#delivered[source] ?? 0) + 1;
        this.#hasTaken = true;
        this.#keepStory(settled);
        return this.#leave(delivery);
      case "expired":
        add(this.#expired, source);
        return this.#leave(delivery);
      case "cancelled":
        this.#ledger.sources.count(source, { skipped: 1 });
        giveUp(this.#ledger, [{ source, offset }]);
        return this.#leave(delivery);
      case "retry":
        return this.#park(delivery, settled, delivery[2], this.#now + decision.delayMs);
      case "disable":
        this.#disable();
        // What the target refused with "never again" was no verdict on the event: that attempt does not count.
        return this.#park(delivery, settled, delivery[2] - 1, this.#now);
      case "dead":
        return this.#bury(delivery, settled, decision.reason);
      default:
        return unreachable(decision);
    }
  }

  /** Told once: what comes after it is in the dead letters. A delivery that is taken ends it. */
  #noteExhausted([source, offset, attempts]: OpenDelivery): void {
    if (this.#ledger.meta.read("exhausted") !== null) return;
    this.#ledger.meta.write("exhausted", true);
    const { topic, partition } = this.#ledger.sources.get(source)!;
    noteOperation(this.#ledger, { kind: "subscription.exhausted", topic, partition, offset, attempts });
  }

  /** Writes the dispatch back with what is still open, or removes it. */
  write(change: Partial<Pick<Dispatch, "claim" | "leaseUntil" | "ringAt" | "rings" | "lapses" | "leases">>): void {
    const { sources } = this.#ledger;
    if (this.#hasTaken && this.#dead.size === 0 && this.#ledger.meta.read("exhausted") !== null)
      this.#ledger.meta.remove("exhausted");
    for (const [source, dead] of this.#dead) sources.count(source, { dead });
    for (const [source, expired] of this.#expired) {
      sources.count(source, { expired });
      logExpired(this.#ledger, sources.get(source)!, expired, "retention");
    }
    const deliveries = [...this.#open.values()];
    writeDispatch(this.#ledger, { ...this.#dispatch, ...change, deliveries, delivered: this.#delivered });
    freeLanes(this.#ledger, this.#lanes.values());
  }

  #leave(delivery: OpenDelivery): void {
    const [source, offset] = delivery;
    this.#remove(delivery);
    if (this.#dispatch.parked) this.#ledger.retries.remove({ source, offset });
  }

  #park(delivery: OpenDelivery, settled: SettledDelivery, attemptsMade: number, nextAt: number): void {
    const [source, offset, , lane = null] = delivery;
    const before = this.#retry(source, offset);
    this.#remove(delivery);
    this.#holdBack(delivery);
    this.#ledger.retries.put({
      source,
      offset,
      attemptsMade,
      nextAt,
      dispatch: null,
      lane,
      redrive: before?.redrive ?? false,
      redrives: before?.redrives ?? 0,
      alone: settled.outcome.kind === "unreachable" && settled.outcome.reason === "lapsed",
      owedSince: before?.owedSince ?? this.#dispatch.openedAt,
      line: before?.line ?? null,
      attempts: this.#attemptsAfter(before, settled),
    });
  }

  #bury(delivery: OpenDelivery, settled: SettledDelivery, reason: string): void {
    const [source, offset, attempt] = delivery;
    const before = this.#retry(source, offset);
    const line = settled.line ?? before?.line ?? "";
    const attempts = this.#attemptsAfter(before, settled);
    const redrives = before?.redrives ?? 0;
    const fingerprint = deadLetterFingerprint(reason, recordOf(settled)); // Of the attempt, kept or not.
    const death = { source, offset, reason, fingerprint, redrives, line, attempts };
    this.#ledger.deadLetters.insert({ ...death, diedAt: this.#now });
    noteDeath(this.#ledger, death);
    if (reason === "attempts_exhausted") this.#noteExhausted(delivery);
    add(this.#dead, source);
    this.#leave(delivery);
    const { topic, partition } = this.#ledger.sources.get(source)!;
    logStage("delivery.dead_lettered", {
      app: this.#ledger.app,
      subscription: this.#ledger.subscriptionId,
      topic,
      partition,
      offset,
      attempt,
      reason,
      trace_id: traceIdIn(line),
    });
  }

  #disable(): void {
    if (this.#ledger.state === "disabled") return;
    this.#ledger.setState("disabled");
    noteOperation(this.#ledger, { kind: "subscription.disabled", reason: "gone" });
  }

  #keepStory(settled: SettledDelivery): void {
    if (this.#ledger.definition!.attempts !== "all") return;
    const { source, offset } = settled;
    const before = this.#retry(source, offset);
    this.#ledger.delivered.insert(settled, this.#attemptsAfter(before, settled), before?.redrives ?? 0);
  }

  #attemptsAfter(before: Retry | null, settled: SettledDelivery): readonly AttemptRecord[] {
    if (this.#ledger.definition!.attempts === "none") return [];
    return appendAttempt(before?.attempts ?? [], recordOf(settled));
  }

  #retry(source: number, offset: number): Retry | null {
    return this.#dispatch.parked ? this.#ledger.retries.get({ source, offset }) : null;
  }

  #remove([source, offset, , lane]: OpenDelivery): void {
    this.#open.delete(`${source}/${offset}`);
    this.#settled += 1;
    if (lane !== undefined) this.#lanes.set(laneName(source, lane), { source, lane });
  }

  /** What stands behind a delivery that failed in its lane leaves the dispatch with it, and waits untried. */
  #holdBack(failed: OpenDelivery): void {
    for (const [place, delivery] of this.#open) {
      const [source, offset, , lane] = delivery;
      if (!isSameLane(failed, delivery)) continue;
      this.#open.delete(place);
      this.#ledger.waiting.insert({ source, lane: lane!, offset, owedSince: this.#dispatch.openedAt });
    }
  }

  #isHead(delivery: OpenDelivery): boolean {
    if (delivery[3] === undefined) return true;
    return ![...this.#open.values()].some((other) => isSameLane(delivery, other) && other[1] < delivery[1]);
  }
}

const recordOf = ({ outcome, startedAt, durationMs }: SettledDelivery): AttemptRecord =>
  recordAttempt(outcome, startedAt, durationMs);

const isSameLane = (left: OpenDelivery, right: OpenDelivery): boolean =>
  left[3] !== undefined && left[3] === right[3] && left[0] === right[0];

const add = (counts: Map<number, number>, source: number): void => {
  counts.set(source, (counts.get(source) ?? 0) + 1);
};
