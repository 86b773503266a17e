/** What travels in the queues. A version that this code does not know is dead-lettered with a reason, never guessed. */

/**
 * A dispatch: "these deliveries of one subscription may go now". It is a doorbell: the ledger's row of the same id is
 * what counts, so a message may be lost, doubled or late.
 */
export interface DispatchMessage {
  readonly v: 1;
  readonly app: string;
  readonly subscription: string;
  readonly dispatch: number;
  /** Event lines by delivery, while they fit; the consumer reads the others from their logs. */
  readonly events: readonly InlineEvent[];
}

export interface InlineEvent {
  /** The ledger's number for one life of one partition. */
  readonly source: number;
  readonly offset: number;
  readonly line: string;
}

/** Null for anything that is not a dispatch of version 1. */
export function parseDispatchMessage(body: unknown): DispatchMessage | null {
  if (typeof body !== "object" || body === null) return null;
  const { v, app, subscription, dispatch, events } = body as Partial<DispatchMessage>;
  const known = v === 1 && typeof app === "string" && typeof subscription === "string" && typeof dispatch === "number";
  return known && Array.isArray(events) ? (body as DispatchMessage) : null;
}
