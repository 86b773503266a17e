/**
 * A ledger without its door: real rows in a real object, logs that the test writes, and messages that go nowhere but
 * into a list. Every step builds the ledger anew from its rows, so nothing can hang on what the heap remembers.
 */
import { runInDurableObject } from "cloudflare:test";
import { env as workerEnv } from "cloudflare:workers";
import { expect } from "vitest";
import { joinLines } from "../../src/core/event.ts";
import type { SubscriptionDefinition, SubscriptionState } from "../../src/core/subscription.ts";
import { acceptPush } from "../../src/durable-objects/subscription/accept.ts";
import { endLapsedClaims, LedgerAlarm } from "../../src/durable-objects/subscription/alarm.ts";
import { claimDispatch } from "../../src/durable-objects/subscription/claim.ts";
import { changeState } from "../../src/durable-objects/subscription/configure.ts";
import { repairDeadLetters } from "../../src/durable-objects/subscription/dead-letters.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { Pump } from "../../src/durable-objects/subscription/pump.ts";
import { reportSubscription } from "../../src/durable-objects/subscription/report.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import type { SubscriptionStats } from "../../src/core/subscription-report.ts";
import type {
  ClaimAnswer,
  Gap,
  LogPush,
  PushAnswer,
  ReadPage,
  ReadRequest,
  SettleAnswer,
  SettledDelivery,
} from "../../src/durable-objects/rpc.ts";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import type { DeliveryPlace } from "../../src/core/ledger-ids.ts";
import { fail, ok, type Result } from "../../src/core/result.ts";
import type { Env } from "../../src/env.ts";
import type { DispatchMessage } from "../../src/queues/messages.ts";
import { subscription } from "../../src/stubs.ts";

export type Claim = Extract<ClaimAnswer, { kind: "claimed" }>;

export const EPOCH = 1_700_000_000_000;

/** A log of one partition whose events all are `{"data":{"n":offset}}`. */
export class FakeLog {
  readonly topic: string;
  epoch = EPOCH;
  head = 0;
  firstHeld = 1;
  /** How far the ledger has been told. */
  told = 0;
  /** What it was told of last at an attach; an event's type is `odd` or `even`. */
  types: readonly string[] | null = null;
  reachable = true;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** What the log would push now, at most `eventsMax` of it. */
  push(eventsMax = Infinity): LogPush {
    const after = Math.max(this.told, this.firstHeld - 1);
    const through = Math.min(this.head, after + eventsMax);
    this.told = through;
    const { topic, epoch, head, types } = this;
    return { topic, partition: 0, epoch, after, through, head, types, ...this.#batch(after, through, types) };
  }

  read(request: ReadRequest): Result<ReadPage> {
    if (!this.reachable) throw new Error("the log is not there");
    if (request.life.epoch !== this.epoch || request.start.kind === "time") return fail("topic_not_found");
    const offset = { earliest: this.firstHeld - 1, latest: this.head, after: offsetOf(request.start) }[
      request.start.kind
    ];
    const after = Math.min(Math.max(offset, this.firstHeld - 1), this.head);
    const until = Math.max(after, Math.min(this.head, request.until ?? this.head));
    const through = Math.min(until, after + request.eventsMax);
    const gap: Gap | null =
      after > offset ? { partition: 0, requested: offset + 1, firstHeld: this.firstHeld, reason: "trimmed" } : null;
    return ok({
      ...this.#batch(after, through, request.types),
      after,
      through,
      head: this.head,
      firstHeld: this.firstHeld,
      gap,
    });
  }

  lines(epoch: number, offsets: readonly number[]): (string | null)[] {
    if (!this.reachable) throw new Error("the log is not there");
    return offsets.map((offset) =>
      epoch === this.epoch && offset >= this.firstHeld && offset <= this.head ? lineOf(offset) : null,
    );
  }

  #batch(after: number, through: number, types: readonly string[] | null): { offsets: number[]; body: string } {
    const offsets = Array.from({ length: Math.max(0, through - after) }, (_, index) => after + 1 + index).filter(
      (offset) => types?.includes(typeOf(offset)) ?? true,
    );
    return { offsets, body: joinLines(offsets.map(lineOf)) };
  }
}

const offsetOf = (start: ReadRequest["start"]): number => (start.kind === "after" ? start.offset : 0);

const typeOf = (offset: number): string => (offset % 2 === 0 ? "even" : "odd");

export const lineOf = (offset: number): string =>
  JSON.stringify({
    id: `e${offset}`,
    type: typeOf(offset),
    partitionkey: keyOf(offset),
    data: { n: offset, third: offset % 3 === 0 },
  });

/** Five keys; every seventh event has none. */
export const keyOf = (offset: number): string | undefined => (offset % 7 === 0 ? undefined : `k${offset % 5}`);

export class LedgerWorld {
  readonly definition: SubscriptionDefinition;
  readonly logs: ReadonlyMap<string, FakeLog>;
  /** Everything that was sent, in order. */
  readonly sent: DispatchMessage[] = [];
  readonly env: Env;
  readonly #stub: ReturnType<typeof subscription>;
  #meanwhile = (): void => undefined;

  constructor(id: string, topics: readonly string[], more: Partial<SubscriptionDefinition> = {}) {
    this.definition = makeDefinition({ id, topics, ...more });
    this.logs = new Map(topics.map((topic) => [topic, new FakeLog(topic)]));
    this.#stub = subscription(workerEnv as Env, this.definition.app, id);
    const getByName = (name: string): unknown => {
      const log = this.logs.get((JSON.parse(name) as string[])[2]!)!;
      return {
        read: async (request: ReadRequest) => {
          const page = log.read(request);
          this.#meanwhile();
          this.#meanwhile = () => undefined;
          return page;
        },
        lines: async (epoch: number, offsets: readonly number[]) => log.lines(epoch, offsets),
        status: async () => (log.reachable ? ok({ lastOffset: log.head }) : fail("topic_not_found")),
        detach: async () => undefined,
      };
    };
    this.env = { ...(workerEnv as Env), TOPIC_LOG: { getByName } as unknown as Env["TOPIC_LOG"] };
  }

  log(topic: string): FakeLog {
    return this.logs.get(topic)!;
  }

  /** One look at, or change of, a ledger that was just read from its rows. */
  step<T>(look: (ledger: Ledger) => T | Promise<T>): Promise<T> {
    return runInDurableObject(this.#stub, (_instance, state) => look(new Ledger(state)));
  }

  define(more: Partial<SubscriptionDefinition> = {}): Promise<void> {
    return this.step((ledger) => ledger.define({ ...this.definition, ...more }));
  }

  /** `meanwhile` happens while the first page is on its way. */
  pump(meanwhile: (ledger: Ledger) => void = () => undefined): Promise<void> {
    return this.step((ledger) => {
      this.#meanwhile = () => meanwhile(ledger);
      return new Pump(ledger, this.env, (messages) => this.sent.push(...messages)).run();
    });
  }

  accept(push: LogPush): Promise<PushAnswer> {
    return this.step(
      (ledger) => acceptPush(ledger, push, Date.now(), (messages) => this.sent.push(...messages)).answer,
    );
  }

  /** Appends so many events to the log `t`, which then tells at most `eventsMax` of what it has not told. */
  async push(events: number, eventsMax?: number): Promise<void> {
    this.log("t").head += events;
    await this.accept(this.log("t").push(eventsMax));
  }

  claim(dispatch: number): Promise<ClaimAnswer> {
    return this.step((ledger) => claimDispatch(ledger, dispatch, Date.now()));
  }

  async claimed(dispatch: number): Promise<Claim> {
    const answer = await this.claim(dispatch);
    if (answer.kind !== "claimed") throw new Error(`dispatch ${dispatch} cannot be claimed`);
    return answer;
  }

  /** The outcomes of the claim's first deliveries, in their order. */
  settle(dispatch: number, by: Claim, outcomes: readonly AttemptOutcome[], done = true): Promise<SettleAnswer> {
    const settled = outcomes.map((outcome, index) => outcomeOf(by.deliveries[index]!, outcome));
    return this.step((ledger) => settleDispatch(ledger, dispatch, by.claim, settled, done, Date.now(), () => 0));
  }

  /** Claims the newest dispatch and settles all of it in one way. */
  async settleNewest(outcome: AttemptOutcome): Promise<void> {
    const { dispatch } = this.sent.at(-1)!;
    const by = await this.claimed(dispatch);
    await this.settle(
      dispatch,
      by,
      by.deliveries.map(() => outcome),
    );
  }

  /** Every event of the log `t` refused for good. */
  async bury(events: number): Promise<void> {
    await this.push(events);
    for (const { dispatch } of this.sent) {
      const answer = await this.claim(dispatch);
      if (answer.kind === "claimed")
        await this.settle(
          dispatch,
          answer,
          answer.deliveries.map(() => REFUSED),
        );
    }
  }

  redriveAll(): Promise<number> {
    return this.step((ledger) => repairDeadLetters(ledger, "redrive", { kind: "all" }, Date.now()));
  }

  discardAll(): Promise<number> {
    return this.step((ledger) => repairDeadLetters(ledger, "discard", { kind: "all" }, Date.now()));
  }

  /** Leases lapse. */
  lapse(afterMs = 60_000): Promise<void> {
    return this.step((ledger) => endLapsedClaims(ledger, this.env, Date.now() + afterMs));
  }

  /** When the alarm stands, milliseconds from `now`; null: not at all. */
  alarmIn(now = Date.now()): Promise<number | null> {
    return this.step(async (ledger) => {
      await ledger.storage.deleteAlarm();
      await new LedgerAlarm(ledger).stand(now);
      const at = await ledger.storage.getAlarm();
      await ledger.storage.deleteAlarm();
      return at === null ? null : at - now;
    });
  }

  setState(state: SubscriptionState): Promise<unknown> {
    return this.step((ledger) => changeState(ledger, state));
  }

  /** Never without the sum: each matching event examined is in exactly one place. */
  stats(): Promise<SubscriptionStats> {
    return this.step(async (ledger) => {
      const report = await reportSubscription(ledger, this.env);
      if (!report.ok) throw new Error(report.failure.code);
      const { stats } = report.value;
      expect(sumOf(stats)).toBe(stats.matched);
      return stats;
    });
  }
}

export const makeDefinition = (more: Partial<SubscriptionDefinition> = {}): SubscriptionDefinition => ({
  id: "sub",
  app: "app_test",
  name: "test",
  revision: 1,
  topics: ["t"],
  filter: null,
  start: { kind: "earliest" },
  target: { kind: "listener", name: "nobody" },
  retry: { maxAttempts: 3, delaysMs: [0], retryOn4xx: false },
  maxInFlight: 100,
  timeoutMs: 1_000,
  ...more,
});

export const sumOf = ({ delivered, dead, owed, expired, skipped, discarded }: SubscriptionStats): number =>
  delivered + dead + owed + expired + skipped + discarded;

export const outcomeOf = ({ source, offset }: DeliveryPlace, outcome: AttemptOutcome): SettledDelivery => ({
  source,
  offset,
  outcome,
  startedAt: Date.now(),
  durationMs: 1,
  line: outcome.kind === "accepted" ? null : lineOf(offset),
});

export const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 204 };
export const FAILED: AttemptOutcome = { kind: "refused", status: 500, retryAfterMs: null, excerpt: "broken" };
export const REFUSED: AttemptOutcome = { kind: "refused", status: 400, retryAfterMs: null, excerpt: "never" };

/** So many more dead letters of the topic `t`, as if each had been refused: with odd and even numbers for a reason. */
export function buryDirectly(ledger: Ledger, count: number, line = lineOf): void {
  ledger.storage.transactionSync(() => {
    const life = { topic: "t", partition: 0, epoch: EPOCH };
    const source = ledger.sources.find(life) ?? ledger.sources.insert(life, 0, false);
    ledger.sources.advance(source.id, source.examined + count, false, count);
    ledger.sources.count(source.id, { dead: count });
    for (let offset = source.examined + 1; offset <= source.examined + count; offset += 1) {
      const at = new Date(0).toISOString();
      const excerpt = `${offset % 2 === 0 ? "even" : "odd"} ${offset}`;
      ledger.deadLetters.insert({
        source: source.id,
        offset,
        reason: "refused_permanently",
        diedAt: 1_000 + offset,
        line: line(offset),
        attempts: [{ at, durationMs: 1, status: 422, error: null, excerpt }],
      });
    }
  });
}
