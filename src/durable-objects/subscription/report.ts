/** How the subscription stands: exact at the instant of the look, and behind by what the logs said just before it. */
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { SubscriptionReport, SubscriptionStats } from "../../core/subscription-report.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** Logs that one report asks; of the others it knows what they announced. */
const LOGS_ASKED_MAX = 200;

/** All but the endpoint's health. */
export async function reportSubscription(
  ledger: Ledger,
  env: Env,
): Promise<Result<Omit<SubscriptionReport, "health">>> {
  await Promise.all(
    ledger.sources
      .live()
      .slice(0, LOGS_ASKED_MAX)
      .map((source) => askHead(ledger, env, source)),
  );
  if (ledger.definition === null) return fail("subscription_not_found");
  return ok({ state: ledger.state, stats: readStats(ledger) });
}

/** A log that is not there, or cannot be reached, adds nothing. */
async function askHead(ledger: Ledger, env: Env, source: Source): Promise<void> {
  try {
    const status = await topicLog(env, ledger.app, source.topic, source.partition).status(lifeOfEpoch(source.epoch));
    if (status.ok) ledger.announce(source.id, status.value.lastOffset);
  } catch {
    // Told so by its absence from the heads.
  }
}

/** One synchronous look at the rows. `owed` is counted from what is owed, so that the sum proves itself. */
function readStats(ledger: Ledger): SubscriptionStats {
  const tally = { ...ledger.sources.tally() };
  let dispatched = 0;
  let inFlight = 0;
  const { retries, waiting } = ledger;
  let oldest = Math.min(retries.oldestOwedSince() ?? Infinity, waiting.oldestOwedSince() ?? Infinity);
  for (const dispatch of ledger.dispatches.all()) {
    dispatched += dispatch.deliveries.length;
    if (dispatch.leaseUntil > 0) inFlight += dispatch.deliveries.length;
    tally.delivered += Object.values(dispatch.delivered).reduce((sum, count) => sum + count, 0);
    if (!dispatch.parked) oldest = Math.min(oldest, dispatch.openedAt);
  }
  const lags = ledger.sources.live().map(({ id, examined }) => Math.max(0, (ledger.heads.get(id) ?? 0) - examined));
  return {
    ...tally,
    owed: dispatched + retries.countWaiting() + waiting.count(),
    inFlight,
    lag: lags.reduce((sum, lag) => sum + lag, 0),
    oldestOwedAt: oldest === Infinity ? null : new Date(oldest).toISOString(),
  };
}
