/**
 * Moves the place from which a subscription goes on. What lies ahead of it and was not looked at is skipped, and
 * counted; to go back begins a new generation of each source, whose deliveries have ids of their own, so that what the
 * one before has under way is settled by the book and neither is taken for the other.
 */
import type { Position } from "../../core/position.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { SeekAsk, SeekMove } from "../../core/seek.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { ReadStart } from "../rpc.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** Logs asked at once. */
const LOGS_AT_ONCE = 32;

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
  const chosen = chooseSources(ledger, ask);
  if (!chosen.ok) return chosen;
  const places: Place[] = [];
  for (let from = 0; from < chosen.value.length; from += LOGS_AT_ONCE) {
    const some = chosen.value.slice(from, from + LOGS_AT_ONCE);
    const found = await Promise.all(some.map((source) => findPlace(ledger, env, source, ask.to)));
    for (const place of found) {
      if (!place.ok) return place;
      places.push(place.value);
    }
  }
  return ledger.storage.transactionSync(() => moveAll(ledger, places, ask.dryRun));
}

function chooseSources(ledger: Ledger, { to, topic, partition }: SeekAsk): Result<readonly Source[]> {
  if (ledger.definition === null) return fail("subscription_not_found");
  const named = ledger.sources
    .live()
    .filter((source) => topic === null || source.topic === topic)
    .filter((source) => partition === null || source.partition === partition);
  if (named.length === 0 && topic !== null) return fail("topic_not_found");
  const { SEEK_PARTITIONS_MAX: limit } = LIMITS;
  if (named.length > limit)
    return fail("parameter_invalid", "One seek moves fewer partitions: name a topic.", { limit, actual: named.length });
  if (to.kind === "offset" && named.length !== 1) return fail("partition_required");
  if (to.kind !== "cursor") return ok(named);
  // A cursor is of one life of one topic; what else the subscription follows stays where it is.
  const ofCursor = named.filter(({ epoch }) => epoch === to.cursor.epoch);
  return ofCursor.length === 0 ? fail("cursor_invalid") : ok(ofCursor);
}

/** The log says what is there of it: behind its first event is its first, ahead of its head is its head. */
async function findPlace(ledger: Ledger, env: Env, source: Source, to: Position): Promise<Result<Place>> {
  const page = await topicLog(env, ledger.app, source.topic, source.partition).read({
    life: lifeOfEpoch(source.epoch),
    start: startIn(source, to),
    until: null,
    keyStream: null,
    types: null,
    keys: null,
    eventsMax: 0,
    bytesMax: 0,
  });
  return page.ok ? ok({ source: source.id, to: page.value.after, head: page.value.head }) : page;
}

function startIn({ epoch, partition }: Source, to: Position): ReadStart {
  switch (to.kind) {
    case "earliest":
    case "latest":
      return { kind: to.kind };
    case "time":
      return to;
    case "offset":
      return { kind: "after", epoch, offset: to.offset - 1 };
    case "cursor":
      return { kind: "after", epoch, offset: to.cursor.offsets.get(partition) ?? 0 };
  }
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
    return;
  }
  if (to === source.examined) return;
  const next = ledger.sources.beginGeneration(source, to);
  ledger.announce(next.id, Math.max(head, source.examined));
  ledger.heads.delete(source.id);
}
