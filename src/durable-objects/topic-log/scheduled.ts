/** Events for later, as they wait: listed, and taken back. They become events in append.ts. */
import { formatRelayedLine } from "../../core/event.ts";
import type { ScheduledAsk, ScheduledEvent, ScheduledPage } from "../rpc/scheduled.ts";
import type { LogState } from "./log-state.ts";
import type { ScheduledRow } from "./scheduled-store.ts";

export function listScheduled(log: LogState, ask: ScheduledAsk): ScheduledPage {
  const rows = log.scheduled.list({ ...ask, limit: ask.limit + 1 });
  const shown = rows.slice(0, ask.limit);
  const isLast = rows.length <= ask.limit && !hasMore(log, ask, rows);
  return { items: shown.map((row) => viewOf(log, row)), isLast };
}

/** A page may have ended by its bytes. */
function hasMore(log: LogState, ask: ScheduledAsk, rows: readonly ScheduledRow[]): boolean {
  const after = rows.at(-1);
  return after !== undefined && log.scheduled.list({ ...ask, after, limit: 1 }).length > 0;
}

/** One transaction: all that wait under the id, of whichever source. */
export function cancelScheduled(log: LogState, id: string, producer: string | null): number {
  return log.storage.transactionSync(() => log.scheduled.removeOf(id, producer));
}

function viewOf(log: LogState, { seq, deliverAt, id, draft }: ScheduledRow): ScheduledEvent {
  const line = formatRelayedLine(draft, id, log.topic, new Date(deliverAt).toISOString());
  return { seq, deliverAt, id, ttlMs: draft.ttlMs ?? null, line };
}
