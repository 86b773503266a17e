/** What a side is asked for in one request when it drives its own object: no HTTP stands between two appends. */

export interface AppendOrder {
  readonly appends: number;
  /** Appends under way at once. */
  readonly connections: number;
  /** Drafts as a client writes them; each append takes the next batch, and the first again behind the last. */
  readonly batches: readonly (readonly unknown[])[];
}

/** How long the appends took, without the reading of the order. */
export interface AppendsDriven {
  readonly seconds: number;
}
