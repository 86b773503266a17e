/** One subscription's ledger as its parts share it: the stores, the definition, and what the logs announced. */
import { compileFilter, MATCH_ALL, type Filter } from "../../core/filter.ts";
import { parseObjectName } from "../../core/keys.ts";
import { batchRoom, type Gathered } from "../../core/ledger-batch.ts";
import { rateRoom, rateRoomAt, spendTokens } from "../../core/ledger-rate.ts";
import { dispatchRoom, dispatchSize, probeRoom } from "../../core/ledger-schedule.ts";
import { matchesTopicPattern } from "../../core/names.ts";
import type { SubscriptionDefinition, SubscriptionState } from "../../core/subscription.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { countedSql } from "../counted-sql.ts";
import { MetaStore } from "../meta-store.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { LogLife } from "../rpc.ts";
import { BatchDeliveryStore } from "./batch-delivery-store.ts";
import { DeadLetterStore } from "./dead-letter-store.ts";
import { DeliveredStore } from "./delivered-store.ts";
import { DispatchIds } from "./dispatch-ids.ts";
import { DispatchStore } from "./dispatch-store.ts";
import { GatherStore } from "./gather-store.ts";
import { JobStore } from "./job-store.ts";
import type { EndpointWatched, LedgerFacts } from "./ledger-facts.ts";
import { LEDGER_MIGRATIONS } from "./ledger-migrations.ts";
import { PassedOverStore } from "./passed-over-store.ts";
import { ReplayStore } from "./replay-store.ts";
import { RetryStore } from "./retry-store.ts";
import { SourceStore } from "./source-store.ts";
import { WaitingStore } from "./waiting-store.ts";

export class Ledger {
  readonly app: string;
  readonly subscriptionId: string;
  readonly storage: DurableObjectStorage;
  readonly meta: MetaStore<LedgerFacts>;
  readonly sources: SourceStore;
  readonly replays: ReplayStore;
  readonly passedOver: PassedOverStore;
  readonly dispatches: DispatchStore;
  readonly dispatchIds: DispatchIds;
  readonly retries: RetryStore;
  readonly waiting: WaitingStore;
  readonly gathers: GatherStore;
  readonly deadLetters: DeadLetterStore;
  readonly delivered: DeliveredStore;
  readonly batchDeliveries: BatchDeliveryStore;
  readonly jobs: JobStore;
  readonly announcements: AnnouncementStore;
  readonly operations: AnnouncementStore;
  /** The last offset that each source's log has announced since this wake; a hint, so heap is enough. */
  readonly heads = new Map<number, number>();
  /** What waits in each source's log for its batch, as far as it is known since this wake. */
  readonly gathered = new Map<number, Gathered>();
  #definition: SubscriptionDefinition | null;
  #filter: Filter;
  #endpoint: EndpointWatched | null;

  constructor(ctx: DurableObjectState) {
    const name = parseObjectName(ctx.id.name);
    if (name.kind !== "subscription") throw new Error(`a ledger cannot be named ${ctx.id.name}`);
    ({ app: this.app, subscription: this.subscriptionId } = name);
    this.storage = ctx.storage;
    applyMigrations(ctx.storage, LEDGER_MIGRATIONS);
    const sql = countedSql(ctx.storage.sql, this.app, "subscription");
    this.meta = new MetaStore(sql);
    this.sources = new SourceStore(sql);
    this.replays = new ReplayStore(sql);
    this.passedOver = new PassedOverStore(sql);
    this.dispatches = new DispatchStore(sql);
    this.dispatchIds = new DispatchIds(this.meta);
    this.retries = new RetryStore(sql);
    this.waiting = new WaitingStore(sql);
    this.gathers = new GatherStore(sql);
    this.deadLetters = new DeadLetterStore(sql);
    this.delivered = new DeliveredStore(sql);
    this.batchDeliveries = new BatchDeliveryStore(sql);
    this.jobs = new JobStore(sql);
    this.announcements = new AnnouncementStore(sql);
    this.operations = new AnnouncementStore(sql, "operations");
    this.#definition = this.meta.read("definition");
    this.#endpoint = this.meta.read("endpoint");
    this.#filter = filterOf(this.#definition);
  }

  /** Null before the first `configure` and after removal. */
  get definition(): SubscriptionDefinition | null {
    return this.#definition;
  }

  /** Read from its row each time: a settle may change it in a transaction that is rolled back. */
  get state(): SubscriptionState {
    return this.meta.read("state") ?? "active";
  }

  get filter(): Filter {
    return this.#filter;
  }

  get isRunning(): boolean {
    return this.#definition !== null && this.state === "active";
  }

  follows(topic: string): boolean {
    return this.#definition?.topics.some((pattern) => matchesTopicPattern(pattern, topic)) ?? false;
  }

  /** Null while the endpoint is well. */
  get endpoint(): EndpointWatched | null {
    return this.#endpoint;
  }

  /** While the endpoint's breaker is open: when the next probe may go out; else null. */
  get heldUntil(): number | null {
    return this.#endpoint?.heldUntil ?? null;
  }

  watchEndpoint(endpoint: EndpointWatched | null): void {
    if (endpoint === null) this.meta.remove("endpoint");
    else this.meta.write("endpoint", endpoint);
    this.#endpoint = endpoint;
  }

  /** Nothing of it goes to the queue: what the logs hold stays there until a worker comes. */
  get isPulled(): boolean {
    return this.#definition?.target.kind === "pull";
  }

  /** How many deliveries may be leased to pull workers now. */
  pullRoom(): number {
    if (!this.isRunning || !this.isPulled) return 0;
    return Math.max(0, this.#definition!.maxInFlight - this.dispatches.openCounts().deliveries);
  }

  /** How many deliveries may be dispatched at that time; `open`: how many are, where that is known already. */
  room(now = Date.now(), open?: { readonly deliveries: number }): number {
    if (!this.isRunning || this.isPulled) return 0;
    const { deliveries } = open ?? this.dispatches.openCounts();
    if (this.heldUntil !== null) return probeRoom(this.heldUntil, deliveries, now);
    const { maxInFlight, batch, ratePerSecond } = this.#definition!;
    const window =
      batch === undefined ? dispatchRoom(maxInFlight, deliveries) : batchRoom(maxInFlight, deliveries, batch);
    if (ratePerSecond === undefined) return window;
    return Math.min(window, rateRoom(this.meta.read("rate"), ratePerSecond, now) * (batch?.maxEvents ?? 1));
  }

  /** When the rate lets the next go; null: now. */
  rateRoomAt(now: number): number | null {
    const { ratePerSecond } = this.#definition ?? {};
    return ratePerSecond === undefined ? null : rateRoomAt(this.meta.read("rate"), ratePerSecond, now);
  }

  /** In the transaction of the dispatch: so many deliveries go, each a call of the target, or all one batch. */
  spendRate(deliveries: number, now: number): void {
    const { ratePerSecond, batch } = this.#definition!;
    if (ratePerSecond === undefined) return;
    const calls = batch === undefined ? deliveries : 1;
    this.meta.write("rate", spendTokens(this.meta.read("rate"), ratePerSecond, calls, now));
  }

  /** About how many deliveries make a dispatch. */
  get dispatchSize(): number {
    if (this.#definition === null) return 1;
    return this.#definition.batch?.maxEvents ?? dispatchSize(this.#definition.maxInFlight);
  }

  define(definition: SubscriptionDefinition): void {
    this.meta.write("definition", definition);
    this.#definition = definition;
    this.#filter = filterOf(definition);
  }

  setState(state: SubscriptionState): void {
    this.meta.write("state", state);
  }

  /** Drops every row; what is left is the tombstone. */
  async drop(): Promise<void> {
    this.#definition = null;
    this.#endpoint = null;
    this.heads.clear();
    this.gathered.clear();
    await this.storage.deleteAll();
    applyMigrations(this.storage, LEDGER_MIGRATIONS);
    this.meta.write("removed", true);
  }

  /** An announcement may be older than another that came first. */
  announce(source: number, head: number): void {
    this.heads.set(source, Math.max(head, this.heads.get(source) ?? 0));
  }
}

const filterOf = (definition: SubscriptionDefinition | null): Filter =>
  definition === null ? MATCH_ALL : compileFilter(definition.filter);

/** The ledger knows no policy of a topic: revision 0 names the life and never replaces what the log has. */
export const lifeOfEpoch = (epoch: number): LogLife => ({ epoch, revision: 0, index: "none", retention: {} });
