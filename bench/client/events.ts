/** The events that both sides are given: about 200 bytes, each with the moment it was sent written into it. */

const MARK = Buffer.from('"sentat":"');
const SENT_CHARS = 14;

/** A draft as JSON text. `sentAt` in milliseconds of `performance.now()`; `id` where the client names its event. */
export function formatDraft(sequence: number, sentAt: number, id?: string): string {
  const stamp = sentAt.toFixed(3).padStart(SENT_CHARS, "0");
  const named = id === undefined ? "" : `"id":"${id}",`;
  return (
    `{${named}"type":"order.created","key":"customer-${sequence % 1_000}","data":{"sentat":"${stamp}"` +
    `,"order":${sequence},"customer":"Ada Lovelace","sku":"TEA-0042","quantity":3,"total":59.97,"currency":"EUR"` +
    `,"note":"leave at the door"}}`
  );
}

/** An event of another type, with twenty members in its data: what the measure of schemas publishes. */
export function formatDetailedDraft(sequence: number): string {
  return (
    `{"type":"${DETAILED_TYPE}","data":{"order":"ORD-${sequence}","placed":"2026-11-21T10:00:00Z","channel":"web"` +
    `,"customer":"Ada Lovelace","email":"ada@example.com","country":"GB","language":"en","sku":"TEA-0042","quantity":3` +
    `,"unit":19.99,"discount":0,"tax":9.58,"total":59.97,"currency":"EUR","gift":false,"wrapped":true` +
    `,"note":"leave at the door","courier":"post","weight":450,"tags":["tea","green"]}}`
  );
}

export const DETAILED_TYPE = "order.detailed";

const TEXT = { type: "string", maxLength: 100 };
const AMOUNT = { type: "number", minimum: 0 };

/** What those events are held to. */
export const DETAILED_SCHEMA = {
  type: "object",
  properties: {
    order: { type: "string", pattern: "^ORD-[0-9]+$" },
    placed: { type: "string", format: "date-time" },
    channel: { enum: ["web", "shop", "phone"] },
    customer: TEXT,
    email: { type: "string", format: "email" },
    country: { type: "string", pattern: "^[A-Z]{2}$" },
    language: { type: "string", minLength: 2, maxLength: 5 },
    sku: TEXT,
    quantity: { type: "integer", minimum: 1 },
    unit: AMOUNT,
    discount: AMOUNT,
    tax: AMOUNT,
    total: AMOUNT,
    currency: { enum: ["EUR", "USD", "GBP"] },
    gift: { type: "boolean" },
    wrapped: { type: "boolean" },
    note: { type: ["string", "null"] },
    courier: TEXT,
    weight: { type: "integer" },
    tags: { type: "array", items: TEXT, maxItems: 20 },
  },
  required: ["order", "placed", "customer", "sku", "quantity", "total", "currency"],
  additionalProperties: false,
};

/** A batch of events that the client names, each as it names no other. */
export function formatNamedBatch(sequence: number, count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => sequence + index);
  return `[${numbers.map((number) => formatDraft(number, 0, `event-${number}`)).join(",")}]`;
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
