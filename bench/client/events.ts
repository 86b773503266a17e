/** The events that both sides are given: about 200 bytes, each with the moment it was sent written into it. */

const MARK = Buffer.from('"sentat":"');
const SENT_CHARS = 14;

/** A draft as JSON text. `sentAt` in milliseconds of `performance.now()`. */
export function formatDraft(sequence: number, sentAt: number): string {
  const stamp = sentAt.toFixed(3).padStart(SENT_CHARS, "0");
  return (
    `{"type":"order.created","key":"customer-${sequence % 1_000}","data":{"sentat":"${stamp}"` +
    `,"order":${sequence},"customer":"Ada Lovelace","sku":"TEA-0042","quantity":3,"total":59.97,"currency":"EUR"` +
    `,"note":"leave at the door"}}`
  );
}

export function formatBatch(sequence: number, count: number, sentAt: number): string {
  const drafts = Array.from({ length: count }, (_, index) => formatDraft(sequence + index, sentAt));
  return `[${drafts.join(",")}]`;
}

/** Calls `seen` with the moment each event in a text was sent, without parsing the text. Answers how many there are. */
export function scanEvents(text: Buffer, seen?: (sentAt: number) => void): number {
  let count = 0;
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) {
    count += 1;
    seen?.(Number(text.toString("latin1", at + MARK.length, at + MARK.length + SENT_CHARS)));
  }
  return count;
}
