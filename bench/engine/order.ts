/** What a side is asked for in one request when it drives its own object: no HTTP stands between two calls. */

export interface AppendOrder {
  readonly appends: number;
  /** Appends under way at once. */
  readonly connections: number;
  /** Drafts as a client writes them; each append takes the next batch, and the first again behind the last. */
  readonly batches: readonly (readonly unknown[])[];
  /** Each append has an idempotency key of its own that begins so; null: none has. */
  readonly keys: string | null;
}

/** Readers, each through the whole log from its beginning, page after page. */
export interface ReadOrder {
  readonly readers: number;
  readonly events: number;
  readonly pageEvents: number;
}

/** How long it took, without the reading of the order. */
export interface Driven {
  readonly seconds: number;
}
