/** Which events share a dispatch: all that go of one lane, so that one consumer keeps their order. */
import { LIMITS } from "./limits.ts";

interface Laned {
  readonly offset: number;
  readonly lane: string | null;
}

/** About `size` in each dispatch; without lanes exactly so, in order. No lane may have more than a dispatch holds. */
export function allot<Event extends Laned>(events: readonly Event[], size: number): Event[][] {
  const groups = Map.groupBy(events, (event) => event.lane ?? event);
  if (groups.size === events.length) return slice(events, size);
  const dispatches = Array.from({ length: Math.ceil(events.length / size) }, (): Event[] => []);
  for (const group of groups.values()) {
    const emptiest = dispatches.reduce((least, other) => (other.length < least.length ? other : least));
    const fits = emptiest.length + group.length <= LIMITS.DISPATCH_DELIVERIES_MAX;
    if (fits) emptiest.push(...group);
    else dispatches.push([...group]);
  }
  return dispatches
    .filter((dispatch) => dispatch.length > 0)
    .map((dispatch) => dispatch.toSorted((left, right) => left.offset - right.offset));
}

function slice<Event>(events: readonly Event[], size: number): Event[][] {
  const parts: Event[][] = [];
  for (let from = 0; from < events.length; from += size) parts.push(events.slice(from, from + size));
  return parts;
}
