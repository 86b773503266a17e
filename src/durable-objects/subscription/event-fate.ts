/** What became of one event: read from the rows that are there anyway. */
import type { EventFate, StoryDelivery } from "../../core/event-story.ts";
import type { EventPlace } from "../rpc.ts";
import { isOfCancelledBatch } from "./batch-deliveries.ts";
import { reportPlace } from "./find-deliveries.ts";
import type { Ledger } from "./ledger.ts";

/** `line`: the event as it stands in its log, which the filter may have to read. */
export function fateOf(ledger: Ledger, { offset, ...life }: EventPlace, line: string): EventFate {
  const deliveries = ledger.sources
    .ofLife(life)
    .flatMap(({ id: source }): StoryDelivery[] =>
      reportPlace(ledger, { source, offset }).map((report) => ({ ...report, death: deathOf(ledger, source, offset) })),
    );
  const last = deliveries.at(-1);
  if (last !== undefined) return { outcome: last.state, deliveries };
  const source = ledger.sources.find(life);
  const untold = (outcome: EventFate["outcome"]): EventFate => ({ outcome, deliveries });
  if (source === null || source.examined < offset) return untold("not_examined");
  const isPassedOver = ledger.passedOver.list(life, { first: offset, last: offset }).length > 0;
  if (isPassedOver) return untold(isOfCancelledBatch(ledger, line) ? "cancelled" : "passed_over");
  return untold(ledger.filter.matches(JSON.parse(line)) ? "delivered" : "not_matched");
}

function deathOf(ledger: Ledger, source: number, offset: number): StoryDelivery["death"] {
  const death = ledger.deadLetters.death({ source, offset });
  return death === null ? null : { at: new Date(death.diedAt).toISOString(), reason: death.reason };
}
