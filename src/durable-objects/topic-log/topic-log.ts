/**
 * One partition of one topic: the ordered, durable log. The door only: appends stand in append.ts, what is read in
 * readable-log.ts, telling in listeners.ts, what is for later in scheduled.ts, retention in trim.ts. It never reads D1
 * and never waits for a listener before it answers.
 */
import type { RelayAnswer, RelayedEvent } from "../../core/client-event.ts";
import type { CountAnswer, FollowerCount } from "../../core/occupancy.ts";
import { LIMITS } from "../../core/limits.ts";
import type { SchemaRejection } from "../../core/operation-event.ts";
import { ok, type Result } from "../../core/result.ts";
import { readConfig } from "../../config.ts";
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
import { countAppended } from "./count-appended.ts";
import { Listeners } from "./listeners.ts";
import { LogAlarm } from "./log-alarm.ts";
import { LogState } from "./log-state.ts";
import { ChannelOccupancy } from "./occupancy.ts";
import { ReadableLog } from "./readable-log.ts";
import { StageLines } from "./stage-lines.ts";
import { ToldClientEvents } from "./told-client-events.ts";
import { ToldOperations } from "./told-operations.ts";
import { cancelScheduled } from "./scheduled.ts";
import { SizeWatch } from "./size-watch.ts";
import { sweepSlice, trimSlice } from "./trim.ts";

export class TopicLog extends ReadableLog implements TopicLogRpc {
  protected readonly log: LogState;
  readonly #listeners: Listeners;
  readonly #appender: Appender;
  readonly #occupancy: ChannelOccupancy;
  readonly #clientEvents: ToldClientEvents;
  readonly #operations: ToldOperations;
  readonly #size: SizeWatch;
  readonly #alarm: LogAlarm;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.log = new LogState(
      ctx,
      () => {
        this.#lookAtPolicy();
        this.#announce();
      },
      () => {
        this.#occupancy.endLife(Date.now());
        this.#size.endLife();
        this.#operations.endLife();
      },
    );
    const { WorkerGate } = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports;
    this.#occupancy = new ChannelOccupancy(this.log, () => WorkerGate);
    this.#clientEvents = new ToldClientEvents(this.log, () => WorkerGate);
    this.#operations = new ToldOperations(this.log, () => WorkerGate);
    this.#size = new SizeWatch(this.log, this.#operations, readConfig(env).logToldBytes);
    this.#listeners = new Listeners(this.log, env);
    this.#alarm = new LogAlarm(this.log, this.#listeners, [this.#occupancy, this.#clientEvents, this.#operations]);
    const lines = new StageLines(this.log, this.#listeners);
    this.#appender = new Appender(this.log, (events) => {
      if (events.length > 0) lines.appended(events, this.#listeners.appended(events));
      if (events.length > 0) ctx.waitUntil(countAppended(env, this.log.app, events));
      if (this.#size.look(this.log.bytesStored(Date.now()))) this.#announce(this.#operations);
      this.#standAlarm();
    });
  }

  append(request: AppendRequest): Promise<Result<AppendAnswer>> {
    return this.#appender.append(request);
  }

  async cancel(life: LogLife, id: string, producer: string | null): Promise<Result<number>> {
    const entered = this.log.enter(life);
    return entered.ok ? ok(cancelScheduled(this.log, id, producer)) : entered;
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

  async tellRejected(life: LogLife, rejection: SchemaRejection): Promise<Result<null>> {
    const entered = this.log.enter(life);
    if (!entered.ok) return entered;
    if (this.#operations.noteRejection(rejection, Date.now())) this.#announce(this.#operations);
    return ok(null);
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
    if (this.#listeners.isBehind) await this.#alarm.set(Date.now() + LIMITS.TELL_AGAIN_MS);
  }

  /** Never throws: the runtime gives an alarm up after six failures, and it is what finds lost pushes. */
  override async alarm(): Promise<void> {
    this.#alarm.begin();
    let next: number | null;
    try {
      this.#appender.release();
      let more = trimSlice(this.log, Date.now());
      more = sweepSlice(this.log, Date.now()) || more;
      await this.#listeners.tellAll();
      this.#listeners.recordTold();
      this.#size.look(this.log.storage.sql.databaseSize);
      await Promise.all([this.#occupancy.run(Date.now()), this.#clientEvents.run(), this.#operations.run()]);
      next = this.#alarm.next(more);
    } catch (error) {
      const { topic, partition } = this.log;
      console.error(JSON.stringify({ stage: "log.alarm_failed", topic, partition, error: String(error) }));
      next = Date.now() + LIMITS.TELL_AGAIN_MS; // What fails may go on failing: not at once again.
    }
    if (next !== null) await this.#alarm.set(next);
  }

  /** The alarm stands first: what cannot be told now is told by it. */
  #announce(told: ChannelOccupancy | ToldClientEvents | ToldOperations = this.#occupancy): void {
    const at = told.dueAt(Date.now());
    if (at !== null) this.ctx.waitUntil(this.#alarm.set(at).then(() => told.run(Date.now())));
  }

  /** A newer policy may make anything due: the alarm looks at once, and then stands at what is due next. */
  #lookAtPolicy(): void {
    const { head, firstHeld } = this.log.ends;
    if (head >= firstHeld) this.ctx.waitUntil(this.#alarm.set(Date.now()));
  }

  #standAlarm(): void {
    const at = this.#alarm.dueAfterActivity();
    if (at !== null) this.ctx.waitUntil(this.#alarm.set(at));
  }
}
