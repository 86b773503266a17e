/** Which of a log's events a subscription takes now. */
import { splitLines } from "./event.ts";
import type { Filter } from "./filter.ts";
import { laneOf } from "./lane.ts";
import { LaneAdmission, type LaneRules } from "./lane-admission.ts";

export interface TakenEvent {
  readonly offset: number;
  readonly line: string;
  /** Null: it goes whenever there is room. */
  readonly lane: string | null;
}

export interface Taken {
  readonly events: readonly TakenEvent[];
  /** Taken too, but behind others of their lanes. */
  readonly waiting: readonly TakenEvent[];
  /** Everything up to and including this offset has been examined. */
  readonly through: number;
}

/**
 * Takes at most `room` matching events after `after`. `offsets` and the lines of `body` run in parallel; `through` is
 * what the batch covers, which is more than its last offset when the log has filtered.
 */
export function takeEvents(
  batch: { readonly offsets: readonly number[]; readonly body: string; readonly through: number },
  after: number,
  room: number,
  filter: Filter,
  lanes: LaneRules | null = null,
): Taken {
  const lines = splitLines(batch.body);
  const admission = new LaneAdmission(room, lanes);
  const events: TakenEvent[] = [];
  const waiting: TakenEvent[] = [];
  let examined = after;
  for (const [index, offset] of batch.offsets.entries()) {
    if (offset <= after) continue;
    const line = lines[index]!;
    if (!filter.readsContent || filter.matches(JSON.parse(line))) {
      const lane = lanes === null ? null : laneOf(line, lanes.ordering);
      const admitted = admission.admit(lane);
      if (admitted === "stops") return { events, waiting, through: examined };
      (admitted === "goes" ? events : waiting).push({ offset, line, lane });
    }
    examined = offset;
  }
  return { events, waiting, through: Math.max(after, batch.through) };
}
