/**
 * Redriving and discarding: dead letters that a choice names, among those that are dead when it begins. A slice is one
 * transaction; few are moved at once, many by a job (jobs.ts).
 */
import { compileFilter } from "../../core/filter.ts";
import { parseDeliveryId } from "../../core/ledger-ids.ts";
import { unreachable } from "../../core/assert.ts";
import type { DeadLetterChoice } from "../../core/dead-letter.ts";
import type { LifeRange } from "../../core/replay.ts";
import type { DeadPlace, DeadRange } from "./dead-letter-store.ts";
import type { Ledger } from "./ledger.ts";
import { giveUp } from "./passed-over.ts";

export type RepairVerb = "redrive" | "discard";

/** Rows that one transaction moves, so that pushes and claims do not wait behind ten thousand. */
export const SLICE_LETTERS = 500;

/** Some of what is chosen, and how far the look went. */
export interface ChosenSlice {
  readonly places: readonly DeadPlace[];
  readonly through: number;
  readonly isLast: boolean;
}

/**
 * Redriven ones are owed again from the first attempt, and the cursor stays where it is. Answers how many; repeated,
 * none are left.
 */
export const repairDeadLetters = (
  ledger: Ledger,
  verb: RepairVerb,
  choice: DeadLetterChoice,
  now: number,
): Promise<number> => eachSlice(ledger, choice, (places) => moveLetters(ledger, verb, places, now));

export async function countChosen(ledger: Ledger, choice: DeadLetterChoice): Promise<number> {
  if (choice.kind === "all") return ledger.deadLetters.count();
  if (choice.kind === "fingerprint") return ledger.deadLetters.countAlike(choice.fingerprint);
  return eachSlice(ledger, choice, () => undefined);
}

/** In the caller's transaction. */
export function moveLetters(ledger: Ledger, verb: RepairVerb, letters: readonly DeadPlace[], now: number): void {
  if (verb === "redrive") ledger.retries.expect();
  for (const { seq } of letters) {
    if (verb === "redrive") ledger.deadLetters.moveToRetries(seq, now);
    else ledger.deadLetters.remove(seq);
  }
  if (verb === "discard") giveUp(ledger, letters);
  for (const [source, group] of Map.groupBy(letters, (letter) => letter.source)) {
    const discarded = verb === "discard" ? group.length : 0;
    ledger.sources.count(source, { dead: -group.length, discarded });
  }
}

/** The next of what is chosen in `range`. Of a list of ids the range counts the ids, of all else dead letters. */
export function chooseSlice(
  ledger: Ledger,
  choice: DeadLetterChoice,
  range: DeadRange,
  limit = SLICE_LETTERS,
): ChosenSlice {
  const { deadLetters } = ledger;
  switch (choice.kind) {
    case "ids": {
      const through = range.after + limit;
      const places = findByIds(ledger, choice.ids.slice(range.after, through));
      return { places: places.filter(({ seq }) => seq <= range.until), through, isLast: through >= choice.ids.length };
    }
    case "all":
      return sliceOf(deadLetters.places(range, limit), range, limit);
    case "fingerprint":
      return sliceOf(deadLetters.placesAlike(choice.fingerprint, range, limit), range, limit);
    case "ranges": {
      const { filter, ranges } = choice;
      const wider: DeadLetterChoice = filter === null ? { kind: "all" } : { kind: "filter", filter };
      const { places, ...rest } = chooseSlice(ledger, wider, range, limit);
      return { places: places.filter((place) => isWithin(ledger, place, ranges)), ...rest };
    }
    case "filter": {
      const { matches } = compileFilter(choice.filter);
      const { letters, ...rest } = deadLetters.read(range, limit, { reason: null, fingerprint: null, matches });
      return { places: letters, ...rest };
    }
    default:
      return unreachable(choice);
  }
}

function isWithin(ledger: Ledger, { source, offset }: DeadPlace, ranges: readonly LifeRange[]): boolean {
  const { topic, partition, epoch } = ledger.sources.get(source)!;
  const range = ranges.find((one) => one.topic === topic && one.partition === partition && one.epoch === epoch);
  return range !== undefined && offset > range.after && offset <= range.through;
}

const sliceOf = (places: readonly DeadPlace[], { after }: DeadRange, limit: number): ChosenSlice => ({
  places,
  through: places.at(-1)?.seq ?? after,
  isLast: places.length < limit,
});

/** Each slice is looked up in its own transaction: letters may have gone while earlier slices were moved. */
async function eachSlice(
  ledger: Ledger,
  choice: DeadLetterChoice,
  take: (places: readonly DeadPlace[]) => void,
): Promise<number> {
  const until = ledger.deadLetters.lastSeq();
  let matched = 0;
  for (let [after, isLast] = [0, false]; !isLast;) {
    const slice = ledger.storage.transactionSync(() => {
      const chosen = chooseSlice(ledger, choice, { after, until });
      take(chosen.places);
      return chosen;
    });
    matched += slice.places.length;
    ({ through: after, isLast } = slice);
    await scheduler.wait(0); // Lets what waits at the door in between.
  }
  return matched;
}

function findByIds(ledger: Ledger, ids: readonly string[]): DeadPlace[] {
  const places = [...new Set(ids)].map((id) => parseDeliveryId(ledger.subscriptionId, id));
  return places.flatMap((place) => (place === null ? [] : (ledger.deadLetters.find(place) ?? [])));
}
