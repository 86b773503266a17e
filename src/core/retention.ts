/** How long a log keeps its events; a bound that is absent does not bind. */
export interface Retention {
  readonly maxAgeMs?: number;
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  /**
   * True: client events are kept like others; else they only go to who is there (core/client-event.ts), and where they
   * are announced, `$system.client-events` is told of each.
   */
  readonly clientEvents?: true | "announced";
}
