/**
 * The lanes as rows show them: a lane is busy while one of its deliveries is in an open dispatch, waits for its retry,
 * or waits behind those. Redriven deliveries stand outside: they come late by their nature.
 */
import { laneName, STRICT_LANE } from "../../core/lane.ts";
import type { LaneRules } from "../../core/lane-admission.ts";
import { LIMITS } from "../../core/limits.ts";
import { isGathered } from "./gather.ts";
import type { Ledger } from "./ledger.ts";
import type { Source, SourceTurn } from "./source-store.ts";
import type { LaneName } from "./waiting-store.ts";

/** Null where there are no lanes. A look at this moment: what is dispatched after it is not in it. */
export function laneRules(ledger: Ledger, source: number): LaneRules | null {
  const ordering = ledger.definition?.ordering;
  if (ordering === undefined) return null;
  let dispatched: ReadonlySet<string> | null = null;
  const isDispatched = (lane: string): boolean => (dispatched ??= dispatchedLanes(ledger)).has(laneName(source, lane));
  const isBusy = (lane: string): boolean =>
    ledger.retries.hasLane({ source, lane }) || ledger.waiting.hasLane({ source, lane }) || isDispatched(lane);
  return { ordering, isBusy, waitingRoom: waitingRoom(ledger) };
}

/** The next source after `after` that has more, and of which more can be taken now. */
export function nextToExamine(ledger: Ledger, after: SourceTurn, now: number): Source | null {
  let source = ledger.sources.nextBehind(after);
  while (source !== null && !mayExamine(ledger, source, now)) source = ledger.sources.nextBehind(source);
  return source;
}

function mayExamine(ledger: Ledger, source: Source, now: number): boolean {
  const batch = ledger.definition?.batch;
  if (batch !== undefined) return isGathered(ledger, source, batch, now);
  const rules = laneRules(ledger, source.id);
  if (rules === null) return true;
  return rules.ordering === "strict" ? !rules.isBusy(STRICT_LANE) : rules.waitingRoom > 0;
}

/** Called when a delivery of each lane has left its dispatch, in the same transaction: whoever is next may go. */
export function freeLanes(ledger: Ledger, lanes: Iterable<LaneName>): void {
  let dispatched: ReadonlySet<string> | null = null;
  for (const lane of lanes) {
    dispatched ??= dispatchedLanes(ledger);
    const isBusy = dispatched.has(laneName(lane.source, lane.lane)) || ledger.retries.hasLane(lane);
    if (!isBusy) ledger.waiting.free(lane);
  }
}

function dispatchedLanes(ledger: Ledger): Set<string> {
  const lanes = new Set<string>();
  for (const { deliveries } of ledger.dispatches.all()) {
    for (const [source, , , lane] of deliveries) if (lane !== undefined) lanes.add(laneName(source, lane));
  }
  return lanes;
}

/** Of a strict source nothing waits in rows but what a failure left behind it: the log keeps the order by itself. */
function waitingRoom(ledger: Ledger): number {
  if (ledger.definition?.ordering !== "key") return 0;
  return Math.max(0, LIMITS.LANE_DELIVERIES_MAX - ledger.waiting.count());
}
