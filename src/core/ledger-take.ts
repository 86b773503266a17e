/** Which of a log's events a subscription takes now. */
import { splitLines } from "./event.ts";
import type { Filter } from "./filter.ts";

export interface TakenEvent {
  readonly offset: number;
  readonly line: string;
}

export interface Taken {
  readonly events: readonly TakenEvent[];
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
): Taken {
  const lines = splitLines(batch.body);
  const events: TakenEvent[] = [];
  let examined = after;
  for (const [index, offset] of batch.offsets.entries()) {
    if (offset <= after) continue;
    const line = lines[index]!;
    if (!filter.readsContent || filter.matches(JSON.parse(line))) {
      if (events.length >= room) return { events, through: examined };
      events.push({ offset, line });
    }
    examined = offset;
  }
  return { events, through: Math.max(after, batch.through) };
}
