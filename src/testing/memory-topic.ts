/** One topic in memory: an ordered log of one partition that answers like the hub's own, by its own rules. */
import { formatPartitionCursor } from "../core/cursor.ts";
import { formatEventLine, type EventDraft } from "../core/event.ts";
import { compileFilter } from "../core/filter.ts";
import type { FilterPattern } from "../core/filter-pattern.ts";
import type { Position } from "../core/position.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { HubEvent } from "../client/event-definition.ts";
import type { Gap } from "../client/messages.ts";
import type { Receipt } from "../client/outbox.ts";

export interface Start {
  /** The offset before the reader's first. */
  readonly after: number;
  readonly gap: Gap | null;
}

export class MemoryTopic {
  readonly name: string;
  readonly #epoch: number;
  readonly #events: HubEvent[] = [];
  #firstHeld = 1;

  constructor(name: string, epoch: number) {
    this.name = name;
    this.#epoch = epoch;
  }

  get head(): number {
    return this.#events.length;
  }

  /** What is held. */
  get events(): readonly HubEvent[] {
    return this.#events.slice(this.#firstHeld - 1);
  }

  /** Fails with `event_id_conflict`, and for what is to be appended later. */
  append(draft: EventDraft, id: string, appendedAt: string): Result<Receipt> {
    if (draft.deliverAt !== undefined && draft.deliverAt > Date.parse(appendedAt))
      return fail("event_invalid", "The hub of tests keeps no events for later.");
    const offset = this.head + 1;
    const position = { topic: this.name, partition: 0, offset, appendedAt, keyVersion: null };
    const event = JSON.parse(formatEventLine(draft, id, position)) as HubEvent;
    const known = this.#events.find((other) => other.id === id && other.source === event.source);
    if (known === undefined) this.#events.push(event);
    else if (contentOf(known) !== contentOf(event)) return fail("event_id_conflict");
    const at = known?.offset ?? offset;
    const receipt = { id, topic: this.name, partition: 0, offset: at, cursor: this.cursorAt(at) };
    return ok({ ...receipt, duplicate: known !== undefined });
  }

  cursorAt(offset: number): string {
    return formatPartitionCursor(this.#epoch, 0, offset);
  }

  start(from: Position): Start {
    const [earliest, requested] = [this.#firstHeld - 1, this.#requested(from)];
    if (from.kind === "earliest" || requested === null) return { after: earliest, gap: null };
    const gap = (reason: Gap["reason"]): Gap => ({
      partition: 0,
      requested: requested + 1,
      firstHeld: this.#firstHeld,
      reason,
    });
    if (from.kind === "cursor" && from.cursor.epoch !== this.#epoch) return { after: earliest, gap: gap("epoch") };
    if (requested > this.head) return { after: this.head, gap: gap("ahead") };
    if (requested < earliest) return { after: earliest, gap: gap("trimmed") };
    return { after: requested, gap: null };
  }

  /** Null: whatever is held first. */
  #requested(from: Position): number | null {
    switch (from.kind) {
      case "earliest":
        return null;
      case "latest":
        return this.head;
      case "offset":
        return from.offset - 1;
      case "time":
        return this.#events.findLastIndex(({ appendedat }) => Date.parse(appendedat) < from.at) + 1;
      case "cursor":
        return from.cursor.offsets.get(0) ?? null;
    }
  }

  /** Held events behind an offset that the filter lets through and that have not expired; `now` in milliseconds. */
  after(offset: number, pattern: FilterPattern | null, now: number): HubEvent[] {
    const filter = compileFilter(pattern);
    const isHere = ({ expirytime: at }: HubEvent): boolean => at === undefined || Date.parse(at) > now;
    return this.events.filter((event) => event.offset > offset && isHere(event) && filter.matches(event));
  }

  /** Retention takes the first ones. */
  trim(count: number): void {
    this.#firstHeld = Math.min(this.#firstHeld + count, this.head + 1);
  }
}

const contentOf = ({ type, subject, partitionkey, data }: HubEvent): string =>
  JSON.stringify([type, subject, partitionkey, data]);
