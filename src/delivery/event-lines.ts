/** Where a delivery's event comes from: its own copy, the message, or the log, which is asked for many at once. */
import type { DeliveryPlace } from "../core/ledger-ids.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { topicLog } from "../stubs.ts";

/** A line that came along. */
export interface HeldLine extends DeliveryPlace {
  readonly line: string;
}

/** Lines asked of a log in one call: an event is ≤ 256 KB, an answer ≤ 32 MB, and the isolate has 128 MB. */
const LINES_AT_ONCE = 20;

export class EventLines {
  readonly #env: Env;
  readonly #app: string;
  readonly #ready: Map<string, string>;
  readonly #asked = new Map<string, Promise<string | null>>();
  readonly #wanted: readonly ClaimedDelivery[];

  constructor(env: Env, app: string, deliveries: readonly ClaimedDelivery[], held: readonly HeldLine[]) {
    this.#env = env;
    this.#app = app;
    this.#ready = new Map(held.map((event) => [placeOf(event), event.line]));
    for (const delivery of deliveries) {
      if (delivery.line !== null) this.#ready.set(placeOf(delivery), delivery.line);
    }
    this.#wanted = deliveries.filter((delivery) => !this.#ready.has(placeOf(delivery)));
  }

  /** Null when retention has taken the event. Rejects when the log cannot be reached. */
  async of(delivery: ClaimedDelivery): Promise<string | null> {
    const place = placeOf(delivery);
    const ready = this.#ready.get(place);
    if (ready !== undefined) return ready;
    if (!this.#asked.has(place)) this.#askFrom(delivery);
    const line = await this.#asked.get(place)!;
    this.#asked.set(place, TAKEN); // Attempted once in this dispatch: the line need not be held any longer.
    return line;
  }

  /** This one and the next of the same log that are wanted and not asked for yet. */
  #askFrom(first: ClaimedDelivery): void {
    const { source, topic, partition, epoch, offset: from } = first;
    const group = this.#wanted
      .filter((other) => other.source === source && other.offset >= from && !this.#asked.has(placeOf(other)))
      .slice(0, LINES_AT_ONCE);
    const offsets = group.map(({ offset }) => offset);
    const lines = topicLog(this.#env, this.#app, topic, partition).lines(epoch, offsets);
    for (const [index, delivery] of group.entries()) {
      const line = lines.then((all) => all[index] ?? null);
      line.catch(() => undefined); // Whoever awaits it hears of it; an attempt that never begins does not.
      this.#asked.set(placeOf(delivery), line);
    }
  }
}

const TAKEN: Promise<null> = Promise.resolve(null);

const placeOf = ({ source, offset }: DeliveryPlace): string => `${source}/${offset}`;
