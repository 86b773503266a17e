/**
 * Moves the place from which a subscription goes on. What lies ahead of it and was not looked at is skipped, and
 * counted; to go back begins a new generation of each source, whose deliveries have ids of their own, so that what the
 * one before has under way is settled by the book and neither is taken for the other.
 */
import { fail, ok, type Result } from "../../core/result.ts";
import type { SeekAsk, SeekMove } from "../../core/seek.ts";
import type { Env } from "../../env.ts";
import type { Ledger } from "./ledger.ts";
import { chooseSources, findPlaces } from "./log-places.ts";
import { passOver } from "./passed-over.ts";
import type { Source } from "./source-store.ts";

/** Where one source would stand. */
interface Place {
  readonly source: number;
  readonly to: number;
  readonly head: number;
}

/**
 * One transaction over all that move; with `dryRun` the same answer without it. Failures: `partition_required`,
 * `cursor_invalid`, `parameter_invalid`, `topic_not_found`, `deliveries_owed`, `subscription_not_found`.
 */
export async function seek(ledger: Ledger, env: Env, ask: SeekAsk): Promise<Result<readonly SeekMove[]>> {
  const chosen = chooseSources(ledger, [ask.to], ask);
  if (!chosen.ok) return chosen;
  const places = await findPlaces(ledger, env, chosen.value, ask.to);
  if (!places.ok) return places;
  const moves = places.value.map(({ after, head }, index) => ({ source: chosen.value[index]!.id, to: after, head }));
  return ledger.storage.transactionSync(() => moveAll(ledger, moves, ask.dryRun));
}

function moveAll(ledger: Ledger, places: readonly Place[], dryRun: boolean): Result<readonly SeekMove[]> {
  const { definition } = ledger;
  if (definition === null) return fail("subscription_not_found");
  // What has changed while the logs were asked is looked at as it is now.
  const sources = places.map(({ source, ...place }) => ({ ...place, source: ledger.sources.get(source)! }));
  const live = sources.filter(({ source }) => source.state === "live");
  const isBack = live.some(({ source, to }) => to < source.examined);
  if (isBack && definition.ordering !== undefined && owes(ledger)) return fail("deliveries_owed");
  if (!dryRun) for (const { source, to, head } of live) move(ledger, source, to, head);
  return ok(
    live.map(({ source: { topic, partition, examined }, to }) => ({
      topic,
      partition,
      from: examined + 1,
      to: to + 1,
      again: Math.max(0, examined - to),
      skipped: Math.max(0, to - examined),
    })),
  );
}

/** In order nothing of a new generation may pass what the one before still owes. */
const owes = ({ dispatches, retries, waiting }: Ledger): boolean =>
  dispatches.openCounts().deliveries + retries.countWaiting() + waiting.count() > 0;

function move(ledger: Ledger, source: Source, to: number, head: number): void {
  if (to > source.examined) {
    const skipped = to - source.examined;
    ledger.sources.advance(source.id, to, head > to, skipped);
    ledger.sources.count(source.id, { skipped });
    passOver(ledger, source, [{ first: source.examined + 1, last: to }]);
    return;
  }
  if (to === source.examined) return;
  const next = ledger.sources.beginGeneration(source, to);
  ledger.passedOver.take(source, { first: to + 1, last: Number.MAX_SAFE_INTEGER });
  ledger.announce(next.id, Math.max(head, source.examined));
  ledger.heads.delete(source.id);
}
