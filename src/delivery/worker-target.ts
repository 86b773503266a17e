/** Attempts at another Worker: its `deliver` is called over the service binding that the subscription names. */
import { unreachable } from "../core/assert.ts";
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import type { ConsumedEvent } from "../core/event.ts";
import { isConsumerBinding } from "../core/names.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { readOutcomes, type DeliveryBatch, type DeliveryOutcome } from "../wire/native/worker-batch.ts";
import { isTimeout, untilAborted } from "./deadline.ts";

interface ConsumerBinding {
  deliver(batch: DeliveryBatch): Promise<unknown>;
}

/** Null for what is not there, is no Worker, or is the hub's own. */
export function findConsumer(env: Env, name: string): ConsumerBinding | null {
  if (!isConsumerBinding(name)) return null;
  const binding = (env as unknown as Readonly<Record<string, unknown>>)[name];
  const isWorker = typeof (binding as Partial<Fetcher> | undefined)?.fetch === "function";
  return isWorker ? (binding as ConsumerBinding) : null;
}

export interface WorkerCall {
  readonly delivery: Pick<ClaimedDelivery, "id" | "attempt" | "redrive">;
  readonly line: string;
}

/** One call with all of them; an outcome for each, in their order. */
export async function attemptWorker(
  env: Env,
  binding: string,
  { app, name: subscription, timeoutMs }: SubscriptionDefinition,
  calls: readonly WorkerCall[],
): Promise<AttemptOutcome[]> {
  const failed = (outcome: AttemptOutcome): AttemptOutcome[] => calls.map(() => outcome);
  const consumer = findConsumer(env, binding);
  if (consumer === null) return failed(threw(`the hub was deployed without a binding "${binding}" to a Worker`));
  const deliveries = calls.map(({ delivery: { id, attempt, redrive }, line }) => {
    return { id, attempt, redrive, event: JSON.parse(line) as ConsumedEvent };
  });
  try {
    const work = consumer.deliver({ app, subscription, deliveries });
    const outcomes = readOutcomes(await untilAborted(work, AbortSignal.timeout(timeoutMs)));
    return deliveries.map(({ id }) => attemptOutcomeOf(outcomes.get(id)));
  } catch (error) {
    if (isTimeout(error)) return failed({ kind: "unreachable", reason: "timeout", excerpt: "" });
    return failed(threw(error instanceof Error ? error.message : String(error)));
  }
}

function attemptOutcomeOf(answer: DeliveryOutcome | undefined): AttemptOutcome {
  if (answer === undefined) return { kind: "nacked", delayMs: null, reason: "It said nothing of this delivery." };
  const reason = answer.outcome === "delivered" ? "" : (answer.reason ?? "");
  switch (answer.outcome) {
    case "delivered":
      return { kind: "accepted", status: 200 };
    case "retry":
      return { kind: "nacked", delayMs: answer.delayMs ?? null, reason };
    case "reject":
      return { kind: "rejected", reason: "rejected", excerpt: reason };
    default:
      return unreachable(answer);
  }
}

const EXCERPT_CHARS = 1_000;

const threw = (message: string): AttemptOutcome => ({
  kind: "unreachable",
  reason: "worker_threw",
  excerpt: message.slice(0, EXCERPT_CHARS),
});
