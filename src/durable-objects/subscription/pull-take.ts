/**
 * A worker comes for deliveries: what failed before and is due, then what the logs hold and nobody has examined.
 * Nothing has a row before it is leased, so a backlog costs nothing while it waits.
 */
import { isExpired } from "../../core/expiry.ts";
import { placeKey } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import type { TakenEvent } from "../../core/ledger-take.ts";
import { LIMITS } from "../../core/limits.ts";
import type { PullAnswer, PullAsk, PulledDelivery } from "../../core/pull.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { utf8Length } from "../../core/utf8.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { topicLog } from "../../stubs.ts";
import type { ReadPage } from "../rpc.ts";
import { skipCancelled } from "./batch-deliveries.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import { openLeases, type ToLease } from "./pull-lease.ts";
import { LINES_AT_ONCE, readLines, type Lines } from "./pull-lines.ts";
import { takeBackUnclaimed } from "./pull-take-back.ts";
import { examinePage } from "./pump.ts";
import { logExpired } from "./retire.ts";
import { nextStretch } from "./replay-choice.ts";
import { FIRST_TURN, type Source, type SourceTurn } from "./source-store.ts";

export class Puller {
  readonly #ledger: Ledger;
  readonly #env: Env;
  /** The source that was read last: pulls go round. */
  #after = FIRST_TURN;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ledger: Ledger, env: Env) {
    this.#ledger = ledger;
    this.#env = env;
  }

  /**
   * One pull after the other: two that read the same page would both read in vain. Fails with
   * `subscription_not_pulled`, and with `subscription_not_found` when it was removed or the caller has read an older
   * definition.
   */
  pull(ask: PullAsk): Promise<Result<PullAnswer>> {
    const turn = this.#turn.then(() => this.#pull(ask));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #pull({ revision, max, leaseMs }: PullAsk): Promise<Result<PullAnswer>> {
    const { definition } = this.#ledger;
    if (definition === null || definition.revision > revision) return fail("subscription_not_found");
    if (!this.#ledger.isPulled) return fail("subscription_not_pulled");
    takeBackUnclaimed(this.#ledger, Date.now());
    const basket = new Basket(max, leaseMs);
    await this.#leaseDue(basket);
    await this.#leaseNew(basket);
    const waits = basket.deliveries.length === 0 && this.#ledger.pullRoom() > 0;
    return ok({ deliveries: basket.deliveries, nextAt: waits ? this.#ledger.retries.nextAt() : null });
  }

  async #leaseDue(basket: Basket): Promise<void> {
    const ledger = this.#ledger;
    for (;;) {
      const due = ledger.retries.due(Date.now(), Math.min(LINES_AT_ONCE, basket.room(ledger)));
      if (due.length === 0) return;
      const lines = await readLines(ledger, this.#env, due);
      ledger.storage.transactionSync(() => {
        const taken = due.flatMap((place) => takeDue(ledger, basket, place, lines, Date.now()));
        basket.deliveries.push(...openLeases(ledger, taken, true, basket.leaseMs, Date.now()));
      });
    }
  }

  async #leaseNew(basket: Basket): Promise<void> {
    const ledger = this.#ledger;
    const unreachable = new Set<number>();
    let examined = 0;
    while (basket.room(ledger) > 0 && examined < LIMITS.PAGE_EXAMINED_MAX) {
      const source = nextSource(ledger, this.#after, unreachable);
      if (source === null) return;
      this.#after = source;
      const { filter } = ledger;
      const page = await this.#read(source, basket);
      if (page === null) {
        unreachable.add(source.id);
        continue;
      }
      ledger.storage.transactionSync(() => {
        const examined = examinePage(ledger, source, filter, page, basket.room(ledger));
        const events = withoutExpired(ledger, source, examined.events, Date.now());
        const redrive = source.replay > 0;
        const taken = events
          .map((event): ToLease => ({ source: source.id, ...event, attempt: 1, redrive }))
          .filter((delivery) => !skipCancelled(ledger, delivery));
        for (const { line } of taken) basket.add(line);
        basket.deliveries.push(...openLeases(ledger, taken, false, basket.leaseMs, Date.now()));
      });
      examined += page.ok ? page.value.through - page.value.after : 0;
    }
  }

  /** Null when the log cannot be reached. */
  async #read(source: Source, basket: Basket): Promise<Result<ReadPage> | null> {
    const ledger = this.#ledger;
    const { types, keys, readsContent } = ledger.filter;
    const { after, until } = nextStretch(ledger, source);
    try {
      return await topicLog(this.#env, ledger.app, source.topic, source.partition).read({
        life: lifeOfEpoch(source.epoch),
        until,
        keyStream: null,
        types,
        keys,
        start: { kind: "after", epoch: source.epoch, offset: after },
        // Of what is left out by its content more must be looked at than there is room for.
        eventsMax: readsContent ? LIMITS.PAGE_EVENTS_MAX : basket.room(ledger),
        bytesMax: Math.min(basket.bytesLeft, LIMITS.PUSH_BYTES_MAX),
        keepsExpired: true,
      });
    } catch (error) {
      const { topic } = source;
      logStage("subscription.pull_failed", { subscription: ledger.subscriptionId, topic, error: String(error) });
      return null;
    }
  }
}

/** What one pull has taken so far. */
class Basket {
  readonly deliveries: PulledDelivery[] = [];
  readonly leaseMs: number;
  readonly #max: number;
  #bytes = 0;

  constructor(max: number, leaseMs: number) {
    this.#max = max;
    this.leaseMs = leaseMs;
  }

  add(line: string): void {
    this.#bytes += utf8Length(line);
  }

  get bytesLeft(): number {
    return LIMITS.PAGE_BYTES_MAX - this.#bytes;
  }

  /** How many more fit; none when the next event could be too large for what is left. */
  room(ledger: Ledger): number {
    if (this.bytesLeft < LIMITS.EVENT_BYTES_MAX) return 0;
    return Math.min(this.#max - this.deliveries.length, ledger.pullRoom());
  }
}

/** Leaves what another pull, a redrive or a pause has changed while its line was read. In the caller's transaction. */
function takeDue(ledger: Ledger, basket: Basket, place: DeliveryPlace, lines: Lines, now: number): ToLease[] {
  const retry = ledger.retries.get(place);
  if (retry === null || retry.dispatch !== null || !ledger.isRunning || skipCancelled(ledger, place)) return [];
  const line = lines.get(placeKey(place));
  if (line === undefined) {
    // Its log cannot be reached: what is due behind it does not wait.
    ledger.retries.put({ ...retry, nextAt: now + LIMITS.TELL_AGAIN_MS });
    return [];
  }
  if (line === null || isExpired(line, now)) {
    ledger.retries.remove(place);
    ledger.sources.count(place.source, { expired: 1 });
    ledger.batchDeliveries.end(place, "failed", "expired");
    logExpired(ledger, ledger.sources.get(place.source)!, 1, "retention");
    return [];
  }
  if (basket.bytesLeft < LIMITS.EVENT_BYTES_MAX) return [];
  basket.add(line);
  const { source, offset, attemptsMade } = retry;
  const redrive = retry.redrive || ledger.sources.get(source)!.replay > 0;
  return [{ source, offset, attempt: attemptsMade + 1, redrive, line }];
}

/** What has expired is nobody's work any more, and is counted so. */
function withoutExpired(ledger: Ledger, source: Source, events: readonly TakenEvent[], now: number): TakenEvent[] {
  const kept = events.filter(({ line }) => !isExpired(line, now));
  const expired = events.length - kept.length;
  if (expired === 0) return kept;
  ledger.sources.count(source.id, { expired });
  logExpired(ledger, source, expired, "its time");
  return kept;
}

/** The next that is behind, after the one that was read last; those that cannot be reached are left out. */
function nextSource(ledger: Ledger, after: SourceTurn, unreachable: ReadonlySet<number>): Source | null {
  for (const start of [after, FIRST_TURN]) {
    let source = ledger.sources.nextBehind(start);
    while (source !== null && unreachable.has(source.id)) source = ledger.sources.nextBehind(source);
    if (source !== null) return source;
  }
  return null;
}
