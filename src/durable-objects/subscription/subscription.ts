/**
 * One subscription's ledger: what was examined, what is under way, what failed, what is dead. The door only: each verb
 * stands in a file beside it, what all of them share in ledger-object.ts. It calls no target itself, so that a slow one
 * never holds it: the queue's consumer does.
 */
import { LIMITS } from "../../core/limits.ts";
import { ok, type Result } from "../../core/result.ts";
import type { SettledAnswer, SettledAsk } from "../../core/settled.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { SubscriptionReport } from "../../core/subscription-report.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type {
  ClaimAnswer,
  FollowedTopic,
  LogPush,
  PushAnswer,
  SettleAnswer,
  SettledDelivery,
  SubscriptionRpc,
  SyncAsk,
  SyncClaim,
  TopicLife,
} from "../rpc.ts";
import { acceptPush } from "./accept.ts";
import { ringUnclaimed } from "./alarm.ts";
import type { HeldJobs } from "../rpc/batch.ts";
import { cancelJobs } from "./batch-deliveries.ts";
import { claimDispatch } from "./claim.ts";
import { changeState, configure, remove } from "./configure.ts";
import { isSameEndpoint } from "./endpoint-watch.ts";
import { followTopics } from "./follow.ts";
import { PullableLedger } from "./pullable-ledger.ts";
import { reportSubscription } from "./report.ts";
import { retireSource } from "./retire.ts";
import { claimForPublisher } from "./sync-claim.ts";
import { settleDispatch } from "./settle.ts";
import { askSettled } from "./settled.ts";
import { SharedTurn } from "./shared-turn.ts";

export class Subscription extends PullableLedger implements SubscriptionRpc {
  readonly #settles = new SharedTurn({
    pause: () => scheduler.wait(LIMITS.SETTLES_MEET_MS),
    after: () => this.moveOn(),
  });

  /** A pause is measured by a clock that may step. */
  override async alarm(): Promise<void> {
    this.#settles.begin();
    await super.alarm();
  }

  async configure(definition: SubscriptionDefinition): Promise<void> {
    const before = this.ledger.definition;
    await configure(this.ledger, this.env, definition);
    if (!isSameEndpoint(before, this.ledger.definition)) await this.endpoint.mend();
    await this.moveOn();
  }

  async follow(topics: readonly FollowedTopic[]): Promise<Result<null>> {
    const answer = await followTopics(this.ledger, this.env, topics);
    await this.moveOn();
    return answer;
  }

  async accept(push: LogPush): Promise<PushAnswer> {
    const send = (messages: readonly DispatchMessage[]): void => this.send(messages);
    const { answer, isBehind } = acceptPush(this.ledger, push, Date.now(), send);
    if (isBehind) await this.moveOn();
    else await this.rest();
    return answer;
  }

  async forget(life: TopicLife): Promise<void> {
    this.ledger.storage.transactionSync(() => {
      const { topic, partition, epoch } = life;
      for (const source of this.ledger.sources.unretired(topic, partition, epoch)) retireSource(this.ledger, source);
    });
    await this.moveOn();
  }

  async claim(dispatch: number): Promise<ClaimAnswer> {
    const answer = claimDispatch(this.ledger, dispatch, Date.now());
    // What is held in memory is looked for when it would have been rung, and that alarm stands.
    if (!this.ledger.dispatches.isHeld(dispatch)) await this.timer.stand(Date.now());
    return answer;
  }

  async claimForPublisher(ask: SyncAsk): Promise<SyncClaim> {
    const answer = await claimForPublisher(this.ledger, () => this.examine(), ask);
    await this.rest();
    return answer;
  }

  async settle(
    dispatch: number,
    claim: number,
    outcomes: readonly SettledDelivery[],
    done: boolean,
  ): Promise<SettleAnswer> {
    const settle = (): SettleAnswer => {
      const answer = settleDispatch(this.ledger, dispatch, claim, outcomes, done, Date.now(), Math.random);
      this.observe(outcomes);
      return answer;
    };
    // The end of a dispatch makes room for the next. Where no other is open, nobody would come to share the commit.
    const mayWait = !done && this.ledger.dispatches.openCounts().dispatches > 1;
    return this.#settles.share(settle, mayWait);
  }

  async settled(ask: SettledAsk): Promise<Result<SettledAnswer>> {
    return askSettled(this.ledger, this.env, ask);
  }

  async ring(_dispatch: number): Promise<void> {
    // Its row says already when it is due: what the queue gave up is rung again by the alarm, which this makes sure of.
    await this.timer.stand(Date.now());
  }

  /** Who asks how it stands also makes sure that its alarm does. */
  async report(): Promise<Result<SubscriptionReport>> {
    await this.timer.stand(Date.now());
    const health = await this.endpoint.look();
    const report = await reportSubscription(this.ledger, this.env);
    return report.ok ? ok({ ...report.value, health }) : report;
  }

  async pause(): Promise<Result<null>> {
    return changeState(this.ledger, "paused");
  }

  /** From `disabled` too: the operator has mended the target. */
  async resume(): Promise<Result<null>> {
    const answer = changeState(this.ledger, "active");
    await this.endpoint.mend();
    this.send(ringUnclaimed(this.ledger, Date.now(), true));
    await this.moveOn();
    return answer;
  }

  async cancelBatch(batch: string): Promise<HeldJobs> {
    return cancelJobs(this.ledger, batch, Date.now());
  }

  async remove(): Promise<void> {
    this.ctx.waitUntil(this.endpoint.mend()); // Nothing is kept of a subscription that is no more.
    await remove(this.ledger, this.env);
    this.timer.fired(); // It went with the rows.
    this.settledWaiters.tell();
  }
}
