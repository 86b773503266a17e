/** A span for each attempt at an event whose trace is sampled, where traces are exported. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { spanIdOf } from "../core/span.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { traceIdsOf, traceOfLine, type TraceIds } from "../core/trace-context.ts";
import type { ClaimedDelivery, SettledDelivery } from "../durable-objects/rpc.ts";
import { recordSpan } from "../observability/spans.ts";

interface Sampled {
  readonly delivery: ClaimedDelivery;
  readonly trace: TraceIds;
}

export class AttemptSpans {
  readonly #definition: SubscriptionDefinition;
  /** By place. */
  readonly #sampled = new Map<string, Sampled>();

  constructor(definition: SubscriptionDefinition) {
    this.#definition = definition;
  }

  /** The delivery's event is about to go. */
  saw(delivery: ClaimedDelivery, line: string): void {
    const found = traceOfLine(line);
    if (found === null) return;
    const trace = traceIdsOf(found.traceparent);
    if (trace.isSampled) this.#sampled.set(placeOf(delivery), { delivery, trace });
  }

  settled(outcomes: readonly SettledDelivery[]): void {
    for (const settled of outcomes) {
      const sampled = this.#sampled.get(placeOf(settled));
      if (sampled !== undefined && settled.outcome.kind !== "not_attempted") this.#record(sampled, settled);
    }
  }

  /** A child of the producer's span, like every other attempt: the event carries no other. */
  #record({ delivery, trace }: Sampled, { outcome, startedAt, durationMs }: SettledDelivery): void {
    const { name, target } = this.#definition;
    const { topic, partition, offset, attempt, id } = delivery;
    recordSpan({
      traceId: trace.traceId,
      spanId: spanIdOf(crypto.getRandomValues(new Uint8Array(8))),
      parentId: trace.spanId,
      name: `deliver ${name}`,
      kind: "consumer",
      startedAt,
      endedAt: startedAt + durationMs,
      attributes: {
        "messaging.system": "tidings",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": String(partition),
        "messaging.destination.subscription.name": name,
        "messaging.message.id": id,
        "tidings.offset": offset,
        "tidings.attempt": attempt,
        "tidings.target": target.kind,
        "tidings.outcome": outcome.kind,
        ...("status" in outcome && { "http.response.status_code": outcome.status }),
      },
      error: errorOf(outcome),
    });
  }
}

const placeOf = ({ source, offset }: Pick<ClaimedDelivery, "source" | "offset">): string => `${source}/${offset}`;

function errorOf(outcome: AttemptOutcome): string | null {
  if (outcome.kind === "accepted") return null;
  return "reason" in outcome ? outcome.reason : outcome.kind;
}
