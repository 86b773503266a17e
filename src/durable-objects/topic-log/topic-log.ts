/**
 * One partition of one topic: the ordered, durable log. The door only: appends stand in append.ts, what is read in
 * readable-log.ts, telling in listeners.ts, retention in trim.ts. It never reads D1 and never waits for a listener
 * before it answers.
 */
import type { RelayAnswer, RelayedEvent } from "../../core/client-event.ts";
import type { CountAnswer, FollowerCount } from "../../core/occupancy.ts";
import { LIMITS } from "../../core/limits.ts";
import { ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import type {
  AppendAnswer,
  AppendRequest,
  Attached,
  AttachRequest,
  ListenerName,
  LogLife,
  TopicLogRpc,
  WorkerGateRpc,
} from "../rpc.ts";
import { Appender } from "./append.ts";
import { Listeners } from "./listeners.ts";
import { LogState } from "./log-state.ts";
import { ChannelOccupancy } from "./occupancy.ts";
import { ReadableLog } from "./readable-log.ts";
import { ToldClientEvents } from "./told-client-events.ts";
import { isOverBounds, sweepDueAt, sweepSlice, trimDueAt, trimDueBy, trimSlice } from "./trim.ts";

export class TopicLog extends ReadableLog implements TopicLogRpc {
  protected readonly log: LogState;
  readonly #listeners: Listeners;
  readonly #appender: Appender;
  readonly #occupancy: ChannelOccupancy;
  readonly #clientEvents: ToldClientEvents;
  /** When the alarm is set for; null: not set, or not known since the last wake, which costs one setting too many. */
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.log = new LogState(
      ctx,
      () => {
        this.#lookAtPolicy();
        this.#announce();
      },
      () => this.#occupancy.endLife(Date.now()),
    );
    const { WorkerGate } = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports;
    this.#occupancy = new ChannelOccupancy(this.log, () => WorkerGate);
    this.#clientEvents = new ToldClientEvents(this.log, () => WorkerGate);
    this.#listeners = new Listeners(this.log, env);
    this.#appender = new Appender(this.log, (events) => {
      this.#listeners.appended(events);
      this.#standAlarm();
    });
  }

  append(request: AppendRequest): Promise<Result<AppendAnswer>> {
    return this.#appender.append(request);
  }

  async relay(life: LogLife, event: RelayedEvent): Promise<Result<RelayAnswer>> {
    const entered = this.log.enter(life);
    if (!entered.ok) return entered;
    const { clientEvents } = entered.value.retention;
    if (clientEvents === true) return ok({ kind: "kept" });
    this.#listeners.relay(event);
    if (clientEvents === "announced") {
      this.#clientEvents.note(event);
      this.#announce(this.#clientEvents);
    }
    return ok({ kind: "relayed" });
  }

  async tellFollowers(life: LogLife, count: FollowerCount): Promise<Result<CountAnswer>> {
    const entered = this.log.enter(life);
    if (!entered.ok) return entered;
    const answer = this.#occupancy.hear(count, Date.now());
    this.#announce();
    return ok(answer);
  }

  async attach(request: AttachRequest): Promise<Result<Attached>> {
    const entered = this.log.enter(request.life);
    if (!entered.ok) return entered;
    const attached = this.#listeners.attach(request);
    this.#standAlarm();
    return ok(attached);
  }

  async detach(listener: ListenerName): Promise<void> {
    this.#listeners.detach(listener);
  }

  async retire(epoch: number): Promise<void> {
    this.log.retire(epoch);
    this.#announce();
    await this.#listeners.tellAll();
    if (this.#listeners.isBehind) await this.#setAlarm(Date.now() + LIMITS.TELL_AGAIN_MS);
  }

  /** Never throws: the runtime gives an alarm up after six failures, and it is what finds lost pushes. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    let next: number | null;
    try {
      let more = trimSlice(this.log, Date.now());
      more = sweepSlice(this.log, Date.now()) || more;
      await this.#listeners.tellAll();
      this.#listeners.recordTold();
      await Promise.all([this.#occupancy.run(Date.now()), this.#clientEvents.run()]);
      next = this.#nextAlarm(more);
    } catch (error) {
      const { topic, partition } = this.log;
      console.error(JSON.stringify({ stage: "log.alarm_failed", topic, partition, error: String(error) }));
      next = Date.now() + LIMITS.TELL_AGAIN_MS; // What fails may go on failing: not at once again.
    }
    if (next !== null) await this.#setAlarm(next);
  }

  /** The alarm stands first: what cannot be told now is told by it. */
  #announce(told: ChannelOccupancy | ToldClientEvents = this.#occupancy): void {
    const at = told.dueAt(Date.now());
    if (at !== null) this.ctx.waitUntil(this.#setAlarm(at).then(() => told.run(Date.now())));
  }

  /** A newer policy may make anything due: the alarm looks at once, and then stands at what is due next. */
  #lookAtPolicy(): void {
    const { head, firstHeld } = this.log.ends;
    if (head >= firstHeld) this.ctx.waitUntil(this.#setAlarm(Date.now()));
  }

  /** After activity one alarm stands, a few seconds ahead, so that a burst costs one setting. */
  #standAlarm(): void {
    const isLate = this.#alarmAt === null || this.#alarmAt > trimDueBy(this.log);
    if (!isLate && this.#listeners.isEmpty && !isOverBounds(this.log)) return;
    const at =
      this.#listeners.isEmpty && !isOverBounds(this.log) ? this.#nextAlarm(false) : Date.now() + LIMITS.TELL_AGAIN_MS;
    if (at !== null) this.ctx.waitUntil(this.#setAlarm(at));
  }

  #nextAlarm(more: boolean): number | null {
    const now = Date.now();
    const unheardAt = this.#listeners.isBehind ? now + LIMITS.TELL_AGAIN_MS : null;
    const toldAt = [this.#occupancy.dueAt(now), this.#clientEvents.dueAt(now)];
    const due = [trimDueAt(this.log), sweepDueAt(this.log), unheardAt, ...toldAt].filter((at) => at !== null);
    if (more) return Date.now();
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Never puts off an alarm that stands sooner. */
  async #setAlarm(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }
}
