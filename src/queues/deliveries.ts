/** The queue `deliveries`: each message names a dispatch, and what counts is what the ledger answers to the claim. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { parseEventLine } from "../core/event.ts";
import { attemptDelivery } from "../delivery/attempt.ts";
import { attemptWebhookBatch } from "../delivery/webhook-batch.ts";
import { attemptWorker } from "../delivery/worker-target.ts";
import type { ClaimAnswer, ClaimedDelivery, SettledDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { subscription } from "../stubs.ts";
import { workBatches, type BatchedDelivery } from "./batch-work.ts";
import { workDispatch, type DispatchPorts } from "./dispatch-work.ts";
import { EventLines } from "./event-lines.ts";
import { parseDispatchMessage, type DispatchMessage } from "./messages.ts";

const CLAIM_AGAIN_SECONDS = 2;

type Claim = Extract<ClaimAnswer, { kind: "claimed" }>;

/** Ends when the messages are claimed; the attempts go on in `waitUntil`, so that no hung target stops the queue. */
export async function consumeDeliveries(batch: MessageBatch, env: Env, ctx: ExecutionContext): Promise<void> {
  await Promise.all(batch.messages.map((message) => consume(message, env, ctx)));
}

async function consume(message: Message, env: Env, ctx: ExecutionContext): Promise<void> {
  const dispatch = parseDispatchMessage(message.body);
  if (dispatch === null) {
    // Perhaps newer code wrote it, and newer code may get it yet. The platform's retries end in the dead-letter queue,
    // whose consumer says so; the delivery itself is the ledger's and is rung again.
    logStage("dispatch.unknown", { message: message.id, attempts: message.attempts });
    message.retry({ delaySeconds: CLAIM_AGAIN_SECONDS });
    return;
  }
  let answer: ClaimAnswer;
  try {
    answer = await subscription(env, dispatch.app, dispatch.subscription).claim(dispatch.dispatch);
  } catch (error) {
    logStage("dispatch.claim_failed", {
      subscription: dispatch.subscription,
      dispatch: dispatch.dispatch,
      error: String(error),
    });
    message.retry({ delaySeconds: CLAIM_AGAIN_SECONDS });
    return;
  }
  message.ack(); // From here on the lease watches over it.
  if (answer.kind === "claimed") ctx.waitUntil(work(env, dispatch, answer));
}

async function work(env: Env, message: DispatchMessage, claim: Claim): Promise<void> {
  try {
    await workClaim(env, claim, portsOf(env, message, claim));
  } catch (error) {
    logStage("dispatch.settle_failed", {
      subscription: message.subscription,
      dispatch: message.dispatch,
      error: String(error),
    });
  }
}

function workClaim(env: Env, { definition, deliveries }: Claim, ports: DispatchPorts): Promise<void> {
  const { batch, target, timeoutMs } = definition;
  const takesBatches = target.kind === "webhook" || target.kind === "worker";
  if (batch === undefined || !takesBatches) return workDispatch(deliveries, timeoutMs, ports);
  const attempt = (together: readonly BatchedDelivery[]): Promise<readonly AttemptOutcome[]> => {
    if (target.kind === "worker") return attemptWorker(env, target.binding, definition, together);
    const events = together.map(({ delivery: { id, redrive }, line }) => ({ id, redrive, line }));
    return attemptWebhookBatch(env, target, { definition, batch: events });
  };
  return workBatches(deliveries, batch, timeoutMs, { ...ports, attempt });
}

function portsOf(env: Env, { app, subscription: id, dispatch, events }: DispatchMessage, claim: Claim): DispatchPorts {
  const { definition, deliveries } = claim;
  const lines = new EventLines(env, app, deliveries, events);
  const byPlace = new Map(deliveries.map((delivery) => [`${delivery.source}/${delivery.offset}`, delivery]));
  return {
    line: (delivery) => lines.of(delivery),
    attempt: (delivery, line) => attemptDelivery(env, { definition, delivery, line }),
    settle: (outcomes, done) => {
      logAttempts(app, definition.name, outcomes, byPlace);
      // A stub breaks after an exception: a new one for each call.
      return subscription(env, app, id).settle(dispatch, claim.claim, outcomes, done);
    },
    now: () => Date.now(),
    later: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** A line for each failure. The successes of a settle share one: at full rate a line costs as much as an event. */
function logAttempts(
  app: string,
  name: string,
  outcomes: readonly SettledDelivery[],
  byPlace: ReadonlyMap<string, ClaimedDelivery>,
): void {
  const accepted = outcomes.filter(({ outcome }) => outcome.kind === "accepted");
  if (accepted.length > 0) {
    logStage("delivery.attempted", {
      app,
      subscription: name,
      outcome: "accepted",
      count: accepted.length,
      duration_ms: Math.max(...accepted.map(({ durationMs }) => durationMs)),
    });
  }
  for (const { source, offset, outcome, durationMs, line } of outcomes) {
    if (outcome.kind === "accepted" || outcome.kind === "not_attempted") continue;
    const { topic = null, partition = null, attempt = null } = byPlace.get(`${source}/${offset}`) ?? {};
    logStage("delivery.attempted", {
      app,
      subscription: name,
      topic,
      partition,
      offset,
      attempt,
      outcome: outcome.kind,
      duration_ms: durationMs,
      event_id: line === null ? null : parseEventLine(line).id,
      status: "status" in outcome ? outcome.status : null,
      reason: "reason" in outcome ? outcome.reason : null,
    });
  }
}
