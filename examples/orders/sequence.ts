/**
 * How one order went, as those who took part saw it: each step is noted when somebody has seen it, and printed as a
 * Mermaid sequence diagram.
 */
import type { OrderCreated } from "./command-handler.ts";
import type { OrderEvent } from "./services/consumer.ts";

/** Whoever can take part, in the order in which a diagram names them. */
const CAST = {
  Client: "Client",
  CH: "Command Handler",
  OS: "Orders Service",
  EB: "Event Bus",
  NS: "Notification Service",
  IS: "Inventory Service",
} as const;

type Participant = keyof typeof CAST;

interface Step {
  readonly from: Participant;
  readonly arrow: "->>" | "-->>";
  readonly to: Participant;
  readonly says: string;
  /** When it was seen; milliseconds. */
  readonly at: number;
}

const ORDERS_KEPT_MAX = 50;

export class Sequences {
  readonly #stepsByOrder = new Map<string, Step[]>();

  /** The event brings what was seen before it: by the command handler, and by the hub when it was appended. */
  noteOrder(event: OrderEvent<OrderCreated> & { readonly appendedat?: string }): void {
    const { id, handling } = event.data;
    if (this.#stepsByOrder.has(id)) return;
    const { receivedAt, startedAt, endedAt } = handling;
    const appendedAt = Date.parse(event.appendedat ?? event.time);
    this.#stepsByOrder.set(id, [
      { from: "Client", arrow: "->>", to: "CH", says: "Place Order Command", at: receivedAt },
      { from: "CH", arrow: "->>", to: "OS", says: "Process Order", at: startedAt },
      { from: "OS", arrow: "-->>", to: "CH", says: "Order Processed", at: endedAt },
      { from: "CH", arrow: "->>", to: "EB", says: "Publish OrderPlaced Event", at: appendedAt },
    ]);
    const [oldest] = this.#stepsByOrder.keys();
    if (this.#stepsByOrder.size > ORDERS_KEPT_MAX) this.#stepsByOrder.delete(oldest!);
  }

  /** A service has got the event just now, or has done its work. */
  noteDelivery(order: string, to: "NS" | "IS"): void {
    this.#note(order, { from: "EB", arrow: "-->>", to, says: "OrderPlaced Event", at: Date.now() });
  }

  noteWork(order: string, by: "NS" | "IS", says: string): void {
    this.#note(order, { from: by, arrow: "->>", to: by, says, at: Date.now() });
  }

  /** Of the orders that were seen, by id. */
  diagrams(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#stepsByOrder].map(([order, steps]) => [order, formatSequence(steps)]));
  }

  #note(order: string, step: Step): void {
    this.#stepsByOrder.get(order)?.push(step);
  }
}

/** Only who took part is named; what was seen in the same millisecond stands as it was noted. */
function formatSequence(steps: readonly Step[]): string {
  const inTime = steps.toSorted((left, right) => left.at - right.at);
  const seen = new Set(inTime.flatMap(({ from, to }) => [from, to]));
  const participants = (Object.keys(CAST) as Participant[]).filter((each) => seen.has(each));
  return [
    "sequenceDiagram",
    ...participants.map((each) => `  participant ${each}${each === CAST[each] ? "" : ` as ${CAST[each]}`}`),
    ...inTime.map(({ from, arrow, to, says }) => `  ${from}${arrow}${to}: ${says}`),
  ].join("\n");
}
