/** Lanes: the deliveries of one lane go one after the other, in the order of their offsets. */
import { parseEventLine } from "./event.ts";
import type { Ordering } from "./subscription.ts";

/** The one lane of a source whose deliveries all go one after the other. */
export const STRICT_LANE = "";

/** The lane of an event within its source, which holds one partition: a key never meets itself in another. */
export function laneOf(line: string, ordering: Ordering): string | null {
  if (ordering === "strict") return STRICT_LANE;
  // Most events without a key are not parsed to find that out.
  return line.includes(`"partitionkey":`) ? (parseEventLine(line).partitionkey ?? null) : null;
}

/** Names a lane among those of all sources. */
export const laneName = (source: number, lane: string): string => `${source}/${lane}`;

/** A delivery by itself is a lane of its own. */
export function groupByLane<Delivery extends { readonly source: number; readonly lane?: string }>(
  deliveries: readonly Delivery[],
): Delivery[][] {
  const groups: Delivery[][] = [];
  const lanes = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const name = delivery.lane === undefined ? null : laneName(delivery.source, delivery.lane);
    const lane = name === null ? undefined : lanes.get(name);
    if (lane !== undefined) {
      lane.push(delivery);
      continue;
    }
    const group = [delivery];
    groups.push(group);
    if (name !== null) lanes.set(name, group);
  }
  return groups;
}
