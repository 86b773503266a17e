/**
 * One partition and one subscription that workers pull from, as the promises describe them: no rows, no messages, no
 * platform; what is kept for speed or for restarts is not here. What the hub says is held against it, step by step.
 */

export interface ModelEvent {
  readonly id: string;
  readonly content: number;
}

/** Where a delivery stands; times in milliseconds since 1970. */
export type Standing =
  | { readonly kind: "leased"; readonly attempt: number; readonly lease: string; readonly until: number }
  | { readonly kind: "waiting"; readonly attemptsMade: number; readonly nextAt: number }
  | { readonly kind: "delivered" | "dead" | "expired" | "discarded" };

export interface ModelDelivery {
  readonly source: number;
  readonly offset: number;
  readonly standing: Standing;
  /** It has been dead: its own copy of the event outlives retention. */
  readonly hasCopy: boolean;
}

/** What a pull answered. */
export interface ModelPulled {
  readonly source: number;
  readonly offset: number;
  readonly attempt: number;
  readonly lease: string;
  readonly until: number;
}

export const placeName = ({ source, offset }: Pick<ModelDelivery, "source" | "offset">): string =>
  `${source}_${offset}`;

export class HubModel {
  readonly maxInFlight: number;
  readonly maxAttempts: number;
  /** The event at index 0 has offset 1. */
  readonly events: ModelEvent[] = [];
  firstHeld = 1;
  /** Grows with each seek back. */
  source = 1;
  /** The last offset that was examined. */
  cursor = 0;
  /** The ledger has been told that there is more. */
  isBehind = false;
  isPaused = false;
  readonly deliveries = new Map<string, ModelDelivery>();
  #skipped = 0;
  /** Taken by retention before anybody looked. */
  #unexamined = 0;

  constructor(maxInFlight: number, maxAttempts: number) {
    this.maxInFlight = maxInFlight;
    this.maxAttempts = maxAttempts;
  }

  get head(): number {
    return this.events.length;
  }

  /** All or nothing. Null: an id is known with other content. */
  append(drafts: readonly ModelEvent[]): readonly { readonly offset: number; readonly duplicate: boolean }[] | null {
    const known = new Map(this.events.map(({ id, content }, index) => [id, { content, offset: index + 1 }]));
    if (drafts.some(({ id, content }) => (known.get(id)?.content ?? content) !== content)) return null;
    return drafts.map((draft) => {
      const before = known.get(draft.id);
      if (before !== undefined) return { offset: before.offset, duplicate: true };
      this.events.push(draft);
      known.set(draft.id, { content: draft.content, offset: this.head });
      return { offset: this.head, duplicate: false };
    });
  }

  trim(eventsMax: number): void {
    this.firstHeld = Math.max(this.firstHeld, this.head - eventsMax + 1);
  }

  /** The log has told the ledger of what it holds. */
  told(): void {
    this.isBehind ||= this.head > this.cursor;
  }

  /** What failed before and is due. */
  due(now: number): readonly ModelDelivery[] {
    return this.all().filter(({ standing }) => standing.kind === "waiting" && standing.nextAt <= now);
  }

  room(max: number): number {
    return this.isPaused ? 0 : Math.min(max, this.maxInFlight - this.#count("leased"));
  }

  isTrimmed({ offset, hasCopy }: Pick<ModelDelivery, "offset" | "hasCopy">): boolean {
    return offset < this.firstHeld && !hasCopy;
  }

  /** The offsets that a pull examines next, at most `room`; retention's share is counted when it looks. */
  examine(room: number): readonly number[] {
    if (room <= 0 || !this.isBehind) return [];
    this.#unexamined += Math.max(0, this.firstHeld - 1 - this.cursor);
    const first = Math.max(this.cursor, this.firstHeld - 1) + 1;
    const offsets = this.events.slice(first - 1, first - 1 + room).map((_event, index) => first + index);
    this.cursor = first - 1 + offsets.length;
    this.isBehind = this.cursor < this.head;
    return offsets;
  }

  lease({ source, offset, attempt, lease, until }: ModelPulled): void {
    this.#put(source, offset, { kind: "leased", attempt, lease, until });
  }

  expire({ source, offset }: ModelDelivery): void {
    this.#put(source, offset, { kind: "expired" });
  }

  holds(pulled: ModelPulled, now: number): boolean {
    const standing = this.deliveries.get(placeName(pulled))?.standing;
    return standing?.kind === "leased" && standing.lease === pulled.lease && now < standing.until;
  }

  acknowledge({ source, offset }: ModelPulled): void {
    this.#put(source, offset, { kind: "delivered" });
  }

  /** It was an attempt: the last one is its end. */
  fail(failed: Pick<ModelDelivery, "source" | "offset">, nextAt: number): void {
    const delivery = this.deliveries.get(placeName(failed))!;
    const { source, offset, standing } = delivery;
    const attemptsMade = standing.kind === "leased" ? standing.attempt : 0;
    if (attemptsMade < this.maxAttempts) this.#put(source, offset, { kind: "waiting", attemptsMade, nextAt });
    else if (this.isTrimmed(delivery)) this.#put(source, offset, { kind: "expired" });
    else this.#put(source, offset, { kind: "dead" }, true);
  }

  extend(pulled: ModelPulled, byMs: number): number {
    const { source, offset, attempt, lease } = pulled;
    const before = this.deliveries.get(placeName(pulled))!.standing as Extract<Standing, { kind: "leased" }>;
    const until = before.until + byMs;
    this.#put(source, offset, { kind: "leased", attempt, lease, until });
    return until;
  }

  /** Leases that have run out by now. */
  lapse(now: number): void {
    for (const delivery of this.all())
      if (delivery.standing.kind === "leased" && delivery.standing.until <= now) this.fail(delivery, now);
  }

  /** Everything that is dead, from its first attempt. */
  redrive(now: number): void {
    for (const { source, offset, standing } of this.all())
      if (standing.kind === "dead") this.#put(source, offset, { kind: "waiting", attemptsMade: 0, nextAt: now });
  }

  discard(): void {
    for (const { source, offset, standing } of this.all())
      if (standing.kind === "dead") this.#put(source, offset, { kind: "discarded" });
  }

  /** `offset` is the next that is to be examined, if the log still has it. */
  seek(offset: number): void {
    const to = Math.min(Math.max(offset, this.firstHeld) - 1, this.head);
    if (to > this.cursor) {
      this.#skipped += to - this.cursor;
      this.isBehind = this.head > to;
    } else if (to < this.cursor) {
      this.source += 1;
      this.isBehind = true;
    }
    this.cursor = to;
  }

  all(): readonly ModelDelivery[] {
    return [...this.deliveries.values()];
  }

  /** As a report says it. */
  stats(): Readonly<Record<string, number>> {
    const inFlight = this.#count("leased");
    return {
      matched: this.deliveries.size + this.#skipped + this.#unexamined,
      delivered: this.#count("delivered"),
      dead: this.#count("dead"),
      owed: inFlight + this.#count("waiting"),
      expired: this.#count("expired") + this.#unexamined,
      skipped: this.#skipped,
      discarded: this.#count("discarded"),
      inFlight,
      lag: this.head - this.cursor,
    };
  }

  #count(kind: Standing["kind"]): number {
    return this.all().filter(({ standing }) => standing.kind === kind).length;
  }

  #put(source: number, offset: number, standing: Standing, hasCopy = false): void {
    const name = placeName({ source, offset });
    const before = this.deliveries.get(name);
    this.deliveries.set(name, { source, offset, standing, hasCopy: hasCopy || (before?.hasCopy ?? false) });
  }
}
