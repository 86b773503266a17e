/** Redriving and discarding: dead letters by their ids, or all that are dead when it begins. */
import { parseDeliveryId } from "../../core/ledger-ids.ts";
import type { DeadLetterChoice } from "../rpc.ts";
import type { DeadPlace } from "./dead-letter-store.ts";
import type { Ledger } from "./ledger.ts";

/** Rows that one transaction moves, so that pushes and claims do not wait behind ten thousand. */
const SLICE = 500;

/** Owed again from the first attempt; the cursor stays where it is. Answers how many; repeated, none are left. */
export const redriveDeadLetters = (
  ledger: Ledger,
  choice: DeadLetterChoice,
  dryRun: boolean,
  now: number,
): Promise<number> =>
  moveChosen(ledger, choice, dryRun, 0, (letter) => ledger.deadLetters.moveToRetries(letter.seq, now));

export const discardDeadLetters = (ledger: Ledger, choice: DeadLetterChoice, dryRun: boolean): Promise<number> =>
  moveChosen(ledger, choice, dryRun, 1, (letter) => ledger.deadLetters.remove(letter.seq));

/** `discards`: how many of each letter that moves count as discarded. */
async function moveChosen(
  ledger: Ledger,
  choice: DeadLetterChoice,
  dryRun: boolean,
  discards: 0 | 1,
  move: (letter: DeadPlace) => void,
): Promise<number> {
  if (dryRun) return choice.kind === "all" ? ledger.deadLetters.count() : findByIds(ledger, choice.ids).length;
  let matched = 0;
  for (const next of slices(ledger, choice)) {
    matched += ledger.storage.transactionSync(() => {
      const letters = next();
      for (const letter of letters) move(letter);
      for (const [source, group] of Map.groupBy(letters, (letter) => letter.source)) {
        ledger.sources.count(source, { dead: -group.length, discarded: discards * group.length });
      }
      return letters.length;
    });
    await scheduler.wait(0); // Lets what waits at the door in between.
  }
  return matched;
}

/** Each slice is looked up in its own transaction: letters may have gone while earlier slices were moved. */
function* slices(ledger: Ledger, choice: DeadLetterChoice): Generator<() => DeadPlace[]> {
  if (choice.kind === "ids") {
    for (let from = 0; from < choice.ids.length; from += SLICE) {
      yield () => findByIds(ledger, choice.ids.slice(from, from + SLICE));
    }
    return;
  }
  const until = ledger.deadLetters.lastSeq();
  let places: DeadPlace[] = [];
  do {
    const after = places.at(-1)?.seq ?? 0;
    yield () => (places = ledger.deadLetters.places(after, until, SLICE));
  } while (places.length > 0);
}

function findByIds(ledger: Ledger, ids: readonly string[]): DeadPlace[] {
  const places = [...new Set(ids)].map((id) => parseDeliveryId(ledger.subscriptionId, id));
  return places.flatMap((place) => (place === null ? [] : (ledger.deadLetters.find(place) ?? [])));
}
