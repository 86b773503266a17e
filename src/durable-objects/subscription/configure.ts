/** What the subscription is: defined anew, paused, resumed, removed. */
import { fail, ok, type Result } from "../../core/result.ts";
import type { SubscriptionDefinition, SubscriptionState } from "../../core/subscription.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import { endEarly } from "./jobs.ts";
import type { Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** An older revision never replaces a newer one. Topics that are no longer wanted are let go, what is owed is not. */
export async function configure(ledger: Ledger, env: Env, definition: SubscriptionDefinition): Promise<void> {
  if (ledger.meta.read("removed") !== null || definition.revision < (ledger.definition?.revision ?? 0)) return;
  const unwanted = ledger.storage.transactionSync(() => {
    ledger.define(definition);
    const sources = ledger.sources.live().filter(({ topic }) => !ledger.follows(topic));
    for (const { id } of sources) ledger.sources.setState(id, "frozen");
    for (const { job, topic } of ledger.replays.running())
      if (!ledger.follows(topic)) endEarly(ledger, job, Date.now());
    return sources;
  });
  await detachAll(ledger, env, unwanted);
}

export function changeState(ledger: Ledger, state: SubscriptionState): Result<null> {
  if (ledger.definition === null) return fail("subscription_not_found");
  if (ledger.state !== state) ledger.storage.transactionSync(() => ledger.setState(state));
  return ok(null);
}

/** First nobody can claim or accept any more, then the logs forget it, then the rows go. */
export async function remove(ledger: Ledger, env: Env): Promise<void> {
  const sources = ledger.sources.live();
  await ledger.drop();
  await detachAll(ledger, env, sources);
}

/** A log that cannot be reached is told "gone" at its next push. */
async function detachAll(ledger: Ledger, env: Env, sources: readonly Source[]): Promise<void> {
  const listener = { kind: "subscription", id: ledger.subscriptionId } as const;
  const detach = ({ topic, partition }: Source): Promise<void> =>
    topicLog(env, ledger.app, topic, partition).detach(listener);
  await Promise.allSettled(sources.map(detach));
}
