/** What a log tells of events that wait for their time. Types only, as in rpc.ts. */

/** Where an event for later stands in the order of their times. Two of one time stand in the order they came. */
export interface ScheduledPlace {
  readonly deliverAt: number;
  readonly seq: number;
}

export interface ScheduledAsk {
  /** The page begins behind it. */
  readonly after: ScheduledPlace;
  readonly limit: number;
  /** Payload, in UTF-16 units; one event always fits. */
  readonly charsMax: number;
  /** Only those of this id, and of this producer (`principalKey`); null: all. */
  readonly id: string | null;
  readonly producer: string | null;
}

export interface ScheduledEvent extends ScheduledPlace {
  readonly id: string;
  readonly ttlMs: number | null;
  /** The event as it will be, without what only the log will know. */
  readonly line: string;
}

export interface ScheduledPage {
  readonly items: readonly ScheduledEvent[];
  readonly isLast: boolean;
}
