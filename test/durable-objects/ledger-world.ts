/**
 * A ledger without its door: real rows in a real object, logs that the test writes, and messages that go nowhere but
 * into a list. Every step builds the ledger anew from its rows, so nothing can hang on what the heap remembers.
 */
import { runInDurableObject } from "cloudflare:test";
import { env as workerEnv } from "cloudflare:workers";
import { joinLines } from "../../src/core/event.ts";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { Pump } from "../../src/durable-objects/subscription/pump.ts";
import { reportSubscription } from "../../src/durable-objects/subscription/report.ts";
import type { ClaimedDelivery, Gap, LogPush, ReadPage, ReadRequest, SettledDelivery, SubscriptionStats } from "../../src/durable-objects/rpc.ts";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { fail, ok, type Result } from "../../src/core/result.ts";
import type { Env } from "../../src/env.ts";
import type { DispatchMessage } from "../../src/queues/messages.ts";
import { subscription } from "../../src/stubs.ts";

export const EPOCH = 1_700_000_000_000;

/** A log of one partition whose events all are `{"data":{"n":offset}}`. */
export class FakeLog {
  readonly topic: string;
  epoch = EPOCH;
  head = 0;
  firstHeld = 1;
  /** How far the ledger has been told. */
  told = 0;
  reachable = true;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** What the log would push now, at most `eventsMax` of it. */
  push(eventsMax = Infinity): LogPush {
    const after = Math.max(this.told, this.firstHeld - 1);
    const through = Math.min(this.head, after + eventsMax);
    this.told = through;
    return { topic: this.topic, partition: 0, epoch: this.epoch, after, through, head: this.head, ...this.#batch(after, through) };
  }

  read(request: ReadRequest): Result<ReadPage> {
    if (!this.reachable) throw new Error("the log is not there");
    if (request.life.epoch !== this.epoch || request.start.kind !== "after") return fail("topic_not_found");
    const { offset } = request.start;
    const after = Math.max(offset, this.firstHeld - 1);
    const through = Math.min(this.head, after + request.eventsMax);
    const gap: Gap | null = after > offset ? { partition: 0, requested: offset + 1, firstHeld: this.firstHeld, reason: "trimmed" } : null;
    return ok({ ...this.#batch(after, through), after, through, head: this.head, firstHeld: this.firstHeld, gap });
  }

  lines(epoch: number, offsets: readonly number[]): (string | null)[] {
    return offsets.map((offset) => (epoch === this.epoch && offset >= this.firstHeld && offset <= this.head ? lineOf(offset) : null));
  }

  #batch(after: number, through: number): { offsets: number[]; body: string } {
    const offsets = Array.from({ length: Math.max(0, through - after) }, (_, index) => after + 1 + index);
    return { offsets, body: joinLines(offsets.map(lineOf)) };
  }
}

export const lineOf = (offset: number): string => JSON.stringify({ id: `e${offset}`, data: { n: offset, third: offset % 3 === 0 } });

export class LedgerWorld {
  readonly definition: SubscriptionDefinition;
  readonly logs: ReadonlyMap<string, FakeLog>;
  /** Everything that was sent, in order. */
  readonly sent: DispatchMessage[] = [];
  readonly env: Env;
  readonly #stub: ReturnType<typeof subscription>;

  constructor(id: string, topics: readonly string[], more: Partial<SubscriptionDefinition> = {}) {
    this.definition = makeDefinition({ id, topics, ...more });
    this.logs = new Map(topics.map((topic) => [topic, new FakeLog(topic)]));
    this.#stub = subscription(workerEnv as Env, this.definition.app, id);
    const getByName = (name: string): unknown => {
      const log = this.logs.get((JSON.parse(name) as string[])[2]!)!;
      return {
        read: async (request: ReadRequest) => log.read(request),
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

  define(): Promise<void> {
    return this.step((ledger) => ledger.define(this.definition));
  }

  pump(): Promise<void> {
    return this.step((ledger) => new Pump(ledger, this.env, (messages) => this.sent.push(...messages)).run());
  }

  stats(): Promise<SubscriptionStats> {
    return this.step(async (ledger) => {
      const report = await reportSubscription(ledger, this.env);
      if (!report.ok) throw new Error(report.failure.code);
      return report.value.stats;
    });
  }
}

export const makeDefinition = (more: Partial<SubscriptionDefinition> = {}): SubscriptionDefinition => ({
  id: "sub", app: "app_test", name: "test", revision: 1, topics: ["t"], filter: null, start: { kind: "earliest" },
  target: { kind: "listener", name: "nobody" }, retry: { maxAttempts: 3, delaysMs: [0], retryOn4xx: false }, maxInFlight: 100,
  timeoutMs: 1_000, ...more,
});

/** Matching events examined are in exactly one place. */
export const sumOf = ({ delivered, dead, owed, expired, skipped, discarded }: SubscriptionStats): number =>
  delivered + dead + owed + expired + skipped + discarded;

export const outcomeOf = (delivery: Pick<ClaimedDelivery, "source" | "offset">, outcome: AttemptOutcome): SettledDelivery =>
  ({ source: delivery.source, offset: delivery.offset, outcome, startedAt: Date.now(), durationMs: 1, line: outcome.kind === "accepted" ? null : lineOf(delivery.offset) });

export const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 204 };
export const FAILED: AttemptOutcome = { kind: "refused", status: 500, retryAfterMs: null, excerpt: "broken" };
export const REFUSED: AttemptOutcome = { kind: "refused", status: 400, retryAfterMs: null, excerpt: "never" };
