/** Writes down what a subscription passes over or gives up, so that a replay can bring what is missing. */
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import { joinOffsets, type OffsetRange } from "../../core/offset-ranges.ts";
import type { Ledger } from "./ledger.ts";
import type { SourceName } from "./source-store.ts";

/** In the caller's transaction. */
export function passOver(ledger: Ledger, life: SourceName, ranges: readonly OffsetRange[]): void {
  const { passedOver, replays } = ledger;
  for (const range of ranges) passedOver.add(life, range);
  let excess = passedOver.countRanges() - LIMITS.PASSED_OVER_RANGES_MAX;
  for (; excess > 0; excess -= 1) replays.forgetBefore(life, passedOver.removeFirst(life) + 1);
}

/**
 * Deliveries that are skipped or discarded, in the caller's transaction. What a seek has had examined again is left to
 * the deliveries that came of that.
 */
export function giveUp(ledger: Ledger, places: readonly DeliveryPlace[]): void {
  for (const [id, group] of Map.groupBy(places, (place) => place.source)) {
    const source = ledger.sources.get(id)!;
    if (source.state === "retired") continue;
    const later = ledger.sources.laterBegan(source) ?? Infinity;
    const offsets = group.map(({ offset }) => offset).filter((offset) => offset <= later);
    if (offsets.length > 0) passOver(ledger, source, joinOffsets(offsets));
  }
}
