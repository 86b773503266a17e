/** Events of deliveries that are leased again or die: their own copies, or what the logs hold. */
import { placeKey } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { topicLog } from "../../stubs.ts";
import type { Ledger } from "./ledger.ts";

/** Places looked up together: an event is ≤ 256 KB, an answer ≤ 32 MB, and the isolate has 128 MB. */
export const LINES_AT_ONCE = 20;

/** By `placeKey`: the line, or null where retention has taken it. What cannot be told now is absent. */
export type Lines = ReadonlyMap<string, string | null>;

/** At most `LINES_AT_ONCE` places. A log that cannot be reached keeps no other from answering. */
export async function readLines(ledger: Ledger, env: Env, places: readonly DeliveryPlace[]): Promise<Lines> {
  const lines = new Map<string, string | null>();
  const wanted: DeliveryPlace[] = [];
  for (const place of places) {
    const own = ledger.retries.get(place)?.line ?? null;
    if (own === null) wanted.push(place);
    else lines.set(placeKey(place), own);
  }
  const asked = [...Map.groupBy(wanted, ({ source }) => source)].map(async ([id, group]) => {
    for (const [key, line] of await readFromLog(ledger, env, id, group)) lines.set(key, line);
  });
  await Promise.all(asked);
  return lines;
}

/**
 * A delivery that dies needs its own copy of the event, and its worker does not bring it. Answers the lines of those
 * whose next failure is the last; rejects when one of them cannot be read now. What is true when it resolves is true
 * until the caller awaits again.
 */
export async function linesOfDying(
  ledger: Ledger,
  env: Env,
  places: readonly (DeliveryPlace & { readonly dispatch: number })[],
): Promise<Lines> {
  let lines: Lines = new Map();
  // Looked at again after each reading: a new definition may have changed after how many attempts they die.
  for (;;) {
    const lacking = places.filter((place) => !lines.has(placeKey(place)) && isDying(ledger, place));
    if (lacking.length === 0) return lines;
    const found = await readLines(ledger, env, lacking);
    if (lacking.some((place) => !found.has(placeKey(place)))) throw new Error("an event that dies cannot be read");
    lines = new Map([...lines, ...found]);
  }
}

function isDying(ledger: Ledger, { dispatch, source, offset }: DeliveryPlace & { readonly dispatch: number }): boolean {
  const deliveries = ledger.dispatches.get(dispatch)?.deliveries ?? [];
  const open = deliveries.find((other) => other[0] === source && other[1] === offset);
  return open !== undefined && ledger.definition !== null && open[2] >= ledger.definition.retry.maxAttempts;
}

async function readFromLog(
  ledger: Ledger,
  env: Env,
  sourceId: number,
  places: readonly DeliveryPlace[],
): Promise<[string, string | null][]> {
  const { topic, partition, epoch } = ledger.sources.get(sourceId)!;
  const offsets = places.map(({ offset }) => offset);
  try {
    const lines = await topicLog(env, ledger.app, topic, partition).lines(epoch, offsets);
    return places.map((place, index) => [placeKey(place), lines[index] ?? null]);
  } catch (error) {
    logStage("subscription.lines_failed", { subscription: ledger.subscriptionId, topic, error: String(error) });
    return [];
  }
}
