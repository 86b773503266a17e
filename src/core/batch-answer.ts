/**
 * What a target answers to a batch: with a 2xx nothing, or `{ "failed": [{ "id", "reason"? }] }` for those that it did
 * not take. An id is the delivery's (`msg_…`) or the event's own.
 */

export interface BatchedEvent {
  /** The delivery's. */
  readonly id: string;
  /** The event. */
  readonly line: string;
}

/** Why each was not taken; null: it was. An entry that names none of them fails them all: better twice than never. */
export function judgeBatchAnswer(text: string, batch: readonly BatchedEvent[]): (string | null)[] {
  const failed = readFailed(text);
  if (failed === null) return batch.map(() => null);
  const reasons = new Map(failed.map((entry) => [entry?.id ?? null, entry?.reason ?? ""]));
  const names = batch.map(({ id, line }) => [id, (JSON.parse(line) as { readonly id: string }).id]);
  const known = new Set(names.flat());
  const isClear = [...reasons.keys()].every((id) => id !== null && known.has(id));
  if (!isClear) return batch.map(() => "The answer names a failure that is none of the batch.");
  return names.map(([delivery, event]) => reasons.get(delivery!) ?? reasons.get(event!) ?? null);
}

/** Null when the answer names no failures. An entry without an id is null. */
function readFailed(text: string): readonly (FailedEntry | null)[] | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  const failed = (answer as { readonly failed?: unknown } | null)?.failed;
  return Array.isArray(failed) ? failed.map(readEntry) : null;
}

interface FailedEntry {
  readonly id: string;
  readonly reason: string;
}

function readEntry(entry: unknown): FailedEntry | null {
  const { id, reason } = (entry ?? {}) as { readonly id?: unknown; readonly reason?: unknown };
  if (typeof id !== "string") return null;
  return { id, reason: typeof reason === "string" ? reason : "" };
}
