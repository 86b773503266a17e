/**
 * How far this subscription has settled a topic, read from the rows of what it owes. Replays and what came back from
 * the dead are second looks at what was settled once, so they hold nothing back; a seek back does, for it begins anew.
 */
import { fail, ok, type Result } from "../../core/result.ts";
import {
  hasSettled,
  settledThrough,
  TOPIC_NOT_FOLLOWED,
  type SettledAnswer,
  type SettledAsk,
} from "../../core/settled.ts";
import type { Env } from "../../env.ts";
import type { Ledger } from "./ledger.ts";
import { findPlaces } from "./log-places.ts";
import type { Source } from "./source-store.ts";

/**
 * Failures: `subscription_not_found` also where the caller has read an older definition, `parameter_invalid` where the
 * topic is not followed, `topic_not_found` where that life of it has ended, `cursor_invalid` ahead of the log. Rejects
 * when a log cannot be reached.
 */
export async function askSettled(ledger: Ledger, env: Env, ask: SettledAsk): Promise<Result<SettledAnswer>> {
  const first = lookSettled(ledger, ask);
  if (!first.ok || first.value.reached) return first;
  const checked = await checkNotAhead(ledger, env, ask);
  return checked.ok ? lookSettled(ledger, ask) : checked;
}

/** One look at the rows; the log is asked nothing. */
export function lookSettled(ledger: Ledger, ask: SettledAsk): Result<SettledAnswer> {
  const followed = findFollowed(ledger, ask);
  if (!followed.ok) return followed;
  const offsets = settledOffsets(followed.value, [firstDispatched(ledger), firstRetried(ledger), firstWaiting(ledger)]);
  return ok({ reached: hasSettled(ask.minCursor, offsets), offsets });
}

/**
 * Those whose answer is another than "not yet". What many ask of one topic is looked up once, and the rows that wait
 * behind others, which can be many, only where nothing else holds an answer back.
 */
export function chooseAnswered<Ask extends SettledAsk>(ledger: Ledger, asks: readonly Ask[]): Ask[] {
  const alike = Map.groupBy(asks, ({ revision, topic, minCursor }) => `${revision}/${minCursor.epoch}/${topic}`);
  return [...alike.values()].flatMap((group) => {
    const followed = findFollowed(ledger, group[0]!);
    if (!followed.ok) return group;
    const firsts = [firstDispatched(ledger), firstRetried(ledger)];
    const near = settledOffsets(followed.value, firsts);
    const left = group.filter(({ minCursor }) => hasSettled(minCursor, near));
    if (left.length === 0) return [];
    const offsets = settledOffsets(followed.value, [...firsts, firstWaiting(ledger)]);
    return left.filter(({ minCursor }) => hasSettled(minCursor, offsets));
  });
}

/** The rows that follow the life of the topic that is asked for. */
function findFollowed(ledger: Ledger, { revision, topic, minCursor }: SettledAsk): Result<readonly Source[]> {
  const { definition } = ledger;
  if (definition === null || definition.revision > revision) return fail("subscription_not_found");
  if (!ledger.follows(topic)) return TOPIC_NOT_FOLLOWED;
  const ofTopic = ledger.sources.ofTopic(topic, minCursor.epoch);
  return ofTopic.some(({ state }) => state === "retired") ? fail("topic_not_found") : ok(ofTopic);
}

/** The first offset that is owed of a source; null: none is. */
type FirstOwed = (source: number) => number | null;

/** By partition, of the rows that follow one life of a topic, in the order in which they began. */
function settledOffsets(sources: readonly Source[], firsts: readonly FirstOwed[]): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const [partition, generations] of Map.groupBy(sources, (source) => source.partition)) {
    const { examined } = generations.at(-1)!;
    const owed = generations.flatMap(({ id }) => firsts.map((firstOf) => firstOf(id) ?? Infinity));
    const first = Math.min(...owed);
    offsets.set(partition, settledThrough({ examined, firstOwed: first === Infinity ? null : first }));
  }
  return offsets;
}

const firstRetried =
  ({ retries }: Ledger): FirstOwed =>
  (source) =>
    retries.firstOwed(source);

const firstWaiting =
  ({ waiting }: Ledger): FirstOwed =>
  (source) =>
    waiting.firstOwed(source);

/** Of each source; deliveries that failed before have a row in `retries`, whether they are out again or not. */
function firstDispatched(ledger: Ledger): FirstOwed {
  const first = new Map<number, number>();
  for (const { parked, deliveries } of ledger.dispatches.all()) {
    if (parked) continue;
    for (const [source, offset] of deliveries) first.set(source, Math.min(offset, first.get(source) ?? Infinity));
  }
  return (source) => first.get(source) ?? null;
}

/** Nobody has published what a log does not hold, so nobody waits for it. */
async function checkNotAhead(ledger: Ledger, env: Env, { topic, minCursor }: SettledAsk): Promise<Result<null>> {
  const { epoch, offsets } = minCursor;
  const followed = ledger.sources.ofTopic(topic, epoch).filter(({ state }) => state === "live");
  const asked = followed.filter(({ partition, examined }) => (offsets.get(partition) ?? 0) > examined);
  const places = await findPlaces(ledger, env, asked, { kind: "latest" });
  if (!places.ok) return places;
  const isAhead = asked.some(({ partition }, index) => offsets.get(partition)! > places.value[index]!.head);
  return isAhead ? fail("cursor_invalid", "It lies ahead of what the topic holds.") : ok(null);
}
