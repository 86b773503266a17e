/** The queue `deliveries`: each message names a dispatch, and what counts is what the ledger answers to the claim. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { workBatches, type BatchedDelivery } from "../delivery/batch-work.ts";
import { liftFor, portsOf, type Claim } from "../delivery/claimed-dispatch.ts";
import { workDispatch, type DispatchPorts } from "../delivery/dispatch-work.ts";
import { exportSpans } from "../delivery/export-spans.ts";
import { refuseStart, withoutRefused } from "../delivery/job-start.ts";
import { attemptWebhookBatch } from "../delivery/webhook-batch.ts";
import { attemptWorker } from "../delivery/worker-target.ts";
import type { ClaimAnswer } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { flushCountsWhenDue } from "../observability/flush-counts.ts";
import { logStage } from "../observability/log.ts";
import { count } from "../observability/meter.ts";
import { subscription } from "../stubs.ts";
import { parseDispatchMessage, type DispatchMessage } from "./messages.ts";

const CLAIM_AGAIN_SECONDS = 2;

/** Ends when the messages are claimed; the attempts go on in `waitUntil`, so that no hung target stops the queue. */
export async function consumeDeliveries(batch: MessageBatch, env: Env, ctx: ExecutionContext): Promise<void> {
  count("tidings_queue_operations_total", { operation: "read" }, batch.messages.length);
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
    count("tidings_errors_total", { source: "object" });
    message.retry({ delaySeconds: CLAIM_AGAIN_SECONDS });
    return;
  }
  count("tidings_queue_operations_total", { operation: "delete" });
  message.ack(); // From here on the lease watches over it.
  if (answer.kind === "claimed") ctx.waitUntil(work(env, dispatch, answer));
}

async function work(env: Env, message: DispatchMessage, claim: Claim): Promise<void> {
  try {
    await workClaim(env, claim, portsOf(env, { ...message, claim }, message.events));
  } catch (error) {
    logStage("dispatch.settle_failed", {
      subscription: message.subscription,
      dispatch: message.dispatch,
      error: String(error),
    });
  }
  await Promise.all([flushCountsWhenDue(env, Date.now()), exportSpans(env)]);
}

function workClaim(env: Env, { definition, deliveries }: Claim, ports: DispatchPorts): Promise<void> {
  const { batch, target, timeoutMs } = definition;
  const takesBatches = target.kind === "webhook" || target.kind === "worker";
  if (batch === undefined || !takesBatches) return workDispatch(deliveries, timeoutMs, ports);
  const send = (given: readonly BatchedDelivery[]): Promise<readonly AttemptOutcome[]> => {
    const together = given.map(({ delivery, line }) => ({ delivery, line: liftFor(definition, line) }));
    if (target.kind === "worker") return attemptWorker(env, target.binding, definition, together);
    const events = together.map(({ delivery: { id, redrive }, line }) => ({ id, redrive, line }));
    return attemptWebhookBatch(env, target, { definition, batch: events });
  };
  const attempt = (given: readonly BatchedDelivery[]): Promise<readonly AttemptOutcome[]> =>
    withoutRefused(given, ({ delivery, line }) => refuseStart(env, definition, delivery, line), send);
  return workBatches(deliveries, batch, timeoutMs, { ...ports, attempt });
}
