/** Claims whose consumer was never heard of again. */
import type { AttemptOutcome } from "../../core/delivery-decision.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { SettledDelivery } from "../rpc.ts";
import type { Dispatch, OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import { expireLeases } from "./pull-expire.ts";
import { Settlement } from "./settlement.ts";

/**
 * Takes the claim away, so that the dispatch is rung again. At the last lapse it falls apart: each delivery has had an
 * attempt and goes alone from then on, so that one event which kills its consumer cannot hold up the rest.
 */
export async function lapse(
  ledger: Ledger,
  env: Env,
  dispatch: Dispatch,
  now: number,
  random: () => number,
): Promise<void> {
  if (dispatch.leases !== null) return expireLeases(ledger, env, dispatch.id, now, random);
  const lapses = dispatch.lapses + 1;
  const outcomes = lapses < LIMITS.DISPATCH_LAPSES_MAX ? [] : await lapsedOutcomes(ledger, env, dispatch, now);
  ledger.storage.transactionSync(() => {
    const current = ledger.dispatches.get(dispatch.id);
    if (current === null || current.claim !== dispatch.claim || current.leaseUntil !== dispatch.leaseUntil) return;
    const settlement = new Settlement(ledger, current, now);
    for (const outcome of outcomes) settlement.apply(outcome, random());
    // The claim moves on, so that the consumer, if it lives after all, is told that it lost it.
    settlement.write({ lapses, claim: current.claim + 1, leaseUntil: 0, ringAt: now });
  });
}

/** A delivery that dies needs its own copy of the event, and no consumer is there to bring it. */
async function lapsedOutcomes(ledger: Ledger, env: Env, dispatch: Dispatch, now: number): Promise<SettledDelivery[]> {
  const bySource = Map.groupBy(headsOf(dispatch.deliveries), ([source]) => source);
  const asked = [...bySource].map(([source, deliveries]) => outcomesOfSource(ledger, env, source, deliveries, now));
  return (await Promise.all(asked)).flat();
}

/** Those behind others of their lane had no attempt. */
const headsOf = (deliveries: readonly OpenDelivery[]): readonly OpenDelivery[] =>
  deliveries.filter(
    ([source, , , lane], index) =>
      lane === undefined || deliveries.findIndex((other) => other[0] === source && other[3] === lane) === index,
  );

const EXPIRED: AttemptOutcome = { kind: "expired" };
const LAPSED: AttemptOutcome = { kind: "unreachable", reason: "lapsed", excerpt: "" };

async function outcomesOfSource(
  ledger: Ledger,
  env: Env,
  sourceId: number,
  deliveries: readonly OpenDelivery[],
  now: number,
): Promise<SettledDelivery[]> {
  const { topic, partition, epoch } = ledger.sources.get(sourceId)!;
  const offsets = deliveries.map(([, offset]) => offset);
  const lines = await topicLog(env, ledger.app, topic, partition).lines(epoch, offsets);
  return offsets.map((offset, index): SettledDelivery => {
    const line = ledger.retries.get({ source: sourceId, offset })?.line ?? lines[index] ?? null;
    const outcome = line === null ? EXPIRED : LAPSED;
    return { source: sourceId, offset, outcome, startedAt: now, durationMs: 0, line };
  });
}
