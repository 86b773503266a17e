/**
 * What every verb of a subscription's object stands on: its ledger, its alarm, its pump. It moves deliveries on, and
 * finds what is lost.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig } from "../../config.ts";
import { DEAD_LETTERS_TOPIC } from "../../core/dead-letter-event.ts";
import { OPERATIONS_TOPIC } from "../../core/system-event.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { count } from "../../observability/meter.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import { Announcer } from "../announcer.ts";
import type { SettledDelivery, WorkerGateRpc } from "../rpc.ts";
import { endLapsedClaims, LedgerAlarm, ringUnclaimed } from "./alarm.ts";
import { BatchTeller } from "./batch-teller.ts";
import { EndpointWatch } from "./endpoint-watch.ts";
import { Ledger } from "./ledger.ts";
import { Pump } from "./pump.ts";
import { SettledWaiters } from "./settled-waiters.ts";
import { StandingWatch } from "./standing-watch.ts";

export abstract class LedgerObject extends DurableObject<Env> {
  protected readonly ledger: Ledger;
  protected readonly timer: LedgerAlarm;
  protected readonly endpoint: EndpointWatch;
  protected readonly settledWaiters: SettledWaiters;
  readonly #pump: Pump;
  readonly #standing: StandingWatch;
  readonly #announcers: readonly (Announcer | BatchTeller)[];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.ledger = new Ledger(ctx);
    this.timer = new LedgerAlarm(this.ledger);
    this.endpoint = new EndpointWatch(this.ledger, env);
    this.settledWaiters = new SettledWaiters(ctx, this.ledger);
    this.#standing = new StandingWatch(this.ledger, readConfig(env));
    this.#pump = new Pump(this.ledger, env, (messages) => this.send(messages));
    const { WorkerGate } = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports;
    const { app, subscriptionId: teller, announcements, operations } = this.ledger;
    this.#announcers = [
      new Announcer({ app, topic: DEAD_LETTERS_TOPIC, announcements, teller }, () => WorkerGate),
      new Announcer({ app, topic: OPERATIONS_TOPIC, announcements: operations, teller }, () => WorkerGate),
      new BatchTeller(this.ledger, env),
    ];
    void ctx.blockConcurrencyWhile(() => this.timer.load());
  }

  /** Never throws: the runtime gives an alarm up after six failures, and it is what finds all that is lost. */
  override async alarm(): Promise<void> {
    this.timer.fired();
    try {
      await endLapsedClaims(this.ledger, this.env, Date.now());
      this.send(ringUnclaimed(this.ledger, Date.now(), false));
    } catch (error) {
      logStage("subscription.alarm_failed", { subscription: this.ledger.subscriptionId, error: String(error) });
    } finally {
      await this.moveOn();
    }
  }

  /** Examines what the logs are known to hold; resolves when there is nothing left or no room. */
  protected examine(): Promise<void> {
    return this.#pump.run();
  }

  /** Dispatches what is due and begins to pull; nobody waits for the pulls, and the alarm stands meanwhile. */
  protected async moveOn(): Promise<void> {
    const pulls = this.#pump.run();
    if (this.#pump.isPulling) this.ctx.waitUntil(pulls.then(() => this.rest()));
    this.#standing.look(Date.now());
    this.#announce();
    await this.rest();
  }

  /** After each step: whoever waits for it hears of it, and the alarm stands for what comes next. */
  protected async rest(): Promise<void> {
    this.settledWaiters.tell();
    await this.timer.stand(Date.now());
  }

  /** What attempts said of the endpoint: at once in the rows, and told to the object that keeps its health. */
  protected observe(outcomes: readonly SettledDelivery[]): void {
    if (this.endpoint.observe(outcomes)) this.send(ringUnclaimed(this.ledger, Date.now(), true));
    if (!this.endpoint.hasNews) return;
    const told = this.endpoint.tell().then(() => {
      this.#announce();
      return this.timer.stand(Date.now());
    });
    this.ctx.waitUntil(told);
  }

  #announce(): void {
    for (const announcer of this.#announcers) this.ctx.waitUntil(announcer.run());
  }

  /** A message that is lost, here or later, leaves its row behind, and the row is rung again. */
  protected send(messages: readonly DispatchMessage[]): void {
    if (messages.length > 0) count("tidings_queue_operations_total", { operation: "write" }, messages.length);
    for (const message of messages) {
      this.ctx.waitUntil(
        this.env.DELIVERIES.send(message).catch((error: unknown) => {
          const { subscription, dispatch } = message;
          count("tidings_errors_total", { source: "queue" });
          logStage("dispatch.send_failed", { subscription, dispatch, error: String(error) });
        }),
      );
    }
  }
}
