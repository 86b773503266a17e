/** Before a job begins, its batch is asked: what has not begun when a batch is cancelled never does. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { jobOfLine, subscriptionOfBatch } from "../core/job-batch.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { batch } from "../stubs.ts";

/** Null: it may begin. A batch that cannot be reached keeps its jobs back: they are tried again. */
export async function refuseStart(
  env: Env,
  { app, id }: Pick<SubscriptionDefinition, "app" | "id">,
  { cancelled }: Pick<ClaimedDelivery, "cancelled">,
  line: string,
): Promise<AttemptOutcome | null> {
  if (cancelled === true) return { kind: "cancelled" };
  const job = jobOfLine(line);
  if (job === null || subscriptionOfBatch(job.batch) !== id) return null;
  try {
    return (await batch(env, app, job.batch).mayStart()) ? null : { kind: "cancelled" };
  } catch {
    return { kind: "not_attempted" };
  }
}

/** Sends those that may begin; the outcomes are in the order of what was given. */
export async function withoutRefused<Item>(
  given: readonly Item[],
  refuse: (item: Item) => Promise<AttemptOutcome | null>,
  send: (items: readonly Item[]) => Promise<readonly AttemptOutcome[]>,
): Promise<readonly AttemptOutcome[]> {
  const refusals = await Promise.all(given.map(refuse));
  const rest = given.filter((_, at) => refusals[at] === null);
  const outcomes = rest.length === 0 ? [] : await send(rest);
  let next = 0;
  return refusals.map((refused) => refused ?? outcomes[next++]!);
}
