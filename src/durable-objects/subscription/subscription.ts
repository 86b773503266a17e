/**
 * One subscription's ledger: what was examined, what is under way, what failed, what is dead. The door only: each verb
 * stands in a file beside it. It calls no target itself, so that a slow one never holds it: the queue's consumer does.
 */
import { DurableObject } from "cloudflare:workers";
import { ok, type Result } from "../../core/result.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type {
  ClaimAnswer,
  DeadLetter,
  DeadLetterChoice,
  DeliveryReport,
  FollowedTopic,
  LogPush,
  PushAnswer,
  ReportPage,
  SettleAnswer,
  SettledDelivery,
  SubscriptionReport,
  SubscriptionRpc,
  TopicLife,
} from "../rpc.ts";
import { acceptPush } from "./accept.ts";
import { endLapsedClaims, LedgerAlarm, ringUnclaimed } from "./alarm.ts";
import { claimDispatch } from "./claim.ts";
import { changeState, configure, remove } from "./configure.ts";
import { discardDeadLetters, redriveDeadLetters } from "./dead-letters.ts";
import { followTopics } from "./follow.ts";
import { Ledger } from "./ledger.ts";
import { listDead, listDeadLetters, listDeliveries } from "./list-deliveries.ts";
import { Pump } from "./pump.ts";
import { reportSubscription } from "./report.ts";
import { retireSource } from "./retire.ts";
import { settleDispatch } from "./settle.ts";

export class Subscription extends DurableObject<Env> implements SubscriptionRpc {
  readonly #ledger: Ledger;
  readonly #alarm: LedgerAlarm;
  readonly #pump: Pump;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#ledger = new Ledger(ctx);
    this.#alarm = new LedgerAlarm(this.#ledger);
    this.#pump = new Pump(this.#ledger, env, (messages) => this.#send(messages));
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  async configure(definition: SubscriptionDefinition): Promise<void> {
    await configure(this.#ledger, this.env, definition);
    await this.#moveOn();
  }

  async follow(topics: readonly FollowedTopic[]): Promise<Result<null>> {
    const answer = await followTopics(this.#ledger, this.env, topics);
    await this.#moveOn();
    return answer;
  }

  async accept(push: LogPush): Promise<PushAnswer> {
    const { answer, messages, isBehind } = acceptPush(this.#ledger, push, Date.now());
    this.#send(messages);
    if (isBehind) await this.#moveOn();
    else await this.#alarm.stand(Date.now());
    return answer;
  }

  async forget(life: TopicLife): Promise<void> {
    this.#ledger.storage.transactionSync(() => {
      const { topic, partition, epoch } = life;
      for (const source of this.#ledger.sources.unretired(topic, partition, epoch)) retireSource(this.#ledger, source);
    });
    await this.#moveOn();
  }

  async claim(dispatch: number): Promise<ClaimAnswer> {
    const answer = claimDispatch(this.#ledger, dispatch, Date.now());
    await this.#alarm.stand(Date.now());
    return answer;
  }

  async settle(
    dispatch: number,
    claim: number,
    outcomes: readonly SettledDelivery[],
    done: boolean,
  ): Promise<SettleAnswer> {
    const answer = settleDispatch(this.#ledger, dispatch, claim, outcomes, done, Date.now(), Math.random);
    await this.#moveOn();
    return answer;
  }

  async ring(_dispatch: number): Promise<void> {
    // Its row says already when it is due: what the queue gave up is rung again by the alarm, which this makes sure of.
    await this.#alarm.stand(Date.now());
  }

  report(): Promise<Result<SubscriptionReport>> {
    return reportSubscription(this.#ledger, this.env);
  }

  async pause(): Promise<Result<null>> {
    return changeState(this.#ledger, "paused");
  }

  /** From `disabled` too: the operator has mended the target. */
  async resume(): Promise<Result<null>> {
    const answer = changeState(this.#ledger, "active");
    this.#send(ringUnclaimed(this.#ledger, Date.now(), true));
    await this.#moveOn();
    return answer;
  }

  async deliveries(
    state: DeliveryReport["state"],
    cursor: string | null,
    limit: number,
  ): Promise<ReportPage<DeliveryReport>> {
    if (state === "dead") return listDead(this.#ledger, cursor, limit);
    return listDeliveries(this.#ledger, state, cursor, limit);
  }

  async deadLetters(cursor: string | null, limit: number): Promise<ReportPage<DeadLetter>> {
    return listDeadLetters(this.#ledger, cursor, limit);
  }

  async redrive(choice: DeadLetterChoice, dryRun: boolean): Promise<Result<number>> {
    const matched = await redriveDeadLetters(this.#ledger, choice, dryRun, Date.now());
    await this.#moveOn();
    return ok(matched);
  }

  async discard(choice: DeadLetterChoice, dryRun: boolean): Promise<Result<number>> {
    return ok(await discardDeadLetters(this.#ledger, choice, dryRun));
  }

  async remove(): Promise<void> {
    await remove(this.#ledger, this.env);
    this.#alarm.fired(); // It went with the rows.
  }

  /** Never throws: the runtime gives an alarm up after six failures, and it is what finds all that is lost. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      await endLapsedClaims(this.#ledger, this.env, Date.now());
      this.#send(ringUnclaimed(this.#ledger, Date.now(), false));
    } catch (error) {
      logStage("subscription.alarm_failed", { subscription: this.#ledger.subscriptionId, error: String(error) });
    } finally {
      await this.#moveOn();
    }
  }

  /** Dispatches what is due and begins to pull; nobody waits for the pulls, and the alarm stands meanwhile. */
  async #moveOn(): Promise<void> {
    this.ctx.waitUntil(this.#pump.run().then(() => this.#alarm.stand(Date.now())));
    await this.#alarm.stand(Date.now());
  }

  /** A message that is lost, here or later, leaves its row behind, and the row is rung again. */
  #send(messages: readonly DispatchMessage[]): void {
    for (const message of messages) {
      this.ctx.waitUntil(
        this.env.DELIVERIES.send(message).catch((error: unknown) => {
          const { subscription, dispatch } = message;
          logStage("dispatch.send_failed", { subscription, dispatch, error: String(error) });
        }),
      );
    }
  }
}
