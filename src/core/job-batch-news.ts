/** How a batch tells of itself: events of the types that its maker chose, each with an id of its own for ever. */
import { batchSource, percentOf, type BatchDefinition } from "./job-batch.ts";
import type { BatchNews } from "./job-batch-step.ts";

/**
 * A draft as JSON text; null where nobody asked. The id counts what has ended for `progress`, and rounds for the
 * others: so the log takes each once however often it is told.
 */
export function formatBatchNews(definition: BatchDefinition, news: BatchNews): string | null {
  const { id, name, tells } = definition;
  const { kind, round, state, counts, job } = news;
  const type = tells[kind];
  if (type === undefined) return null;
  const { total, completed, failed, cancelled } = counts;
  const number = kind === "progress" ? `${round}_${completed + failed}` : String(round);
  const progress = { batch_id: id, completed, failed, total, percent: percentOf(counts) };
  const data = kind === "progress" ? progress : { ...progress, cancelled, state, name, ...(job !== null && { job }) };
  return JSON.stringify({ type, id: `${id}_${kind}_${number}`, source: batchSource(id), subject: id, key: id, data });
}
