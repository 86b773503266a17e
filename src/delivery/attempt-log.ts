/** What the log is told of the attempts of one claimed dispatch. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { parseEventLine } from "../core/event.ts";
import { traceIdIn } from "../core/trace-context.ts";
import type { ClaimedDelivery, SettledDelivery } from "../durable-objects/rpc.ts";
import { logStage } from "../observability/log.ts";
import { counter, Durations, type Counter } from "../observability/meter.ts";

/** Of the subscription's name; `sync`: a publish waits for these attempts. */
export interface AttemptsBy {
  readonly app: string;
  readonly subscription: string;
  /** Its kind. */
  readonly target: string;
  readonly sync?: true;
}

/** A line for each failure. The successes of a dispatch share one: at full rate a line costs as much as an event. */
export class AttemptLog {
  readonly #by: AttemptsBy;
  readonly #deliveries: readonly ClaimedDelivery[];
  readonly #attempts = new Map<AttemptOutcome["kind"], Counter>();
  readonly #durations: Durations;
  #accepted = 0;
  #longestMs = 0;

  constructor(by: AttemptsBy, deliveries: readonly ClaimedDelivery[]) {
    this.#by = by;
    this.#deliveries = deliveries;
    this.#durations = new Durations("tidings_attempt_duration_seconds", { app: by.app, target: by.target });
  }

  /** The ledger has these outcomes; `done`: they are the last. */
  settled(outcomes: readonly SettledDelivery[], done: boolean): void {
    for (const settled of outcomes) {
      this.#measure(settled);
      if (settled.outcome.kind === "accepted") this.#count(settled);
      else if (settled.outcome.kind !== "not_attempted") this.#logFailure(settled);
    }
    if (!done || this.#accepted === 0) return;
    const counts = { count: this.#accepted, duration_ms: this.#longestMs };
    logStage("delivery.attempted", { ...this.#by, outcome: "accepted", ...counts });
  }

  /** What was not attempted, or had gone before it could be, took no time at a target. */
  #measure({ outcome: { kind: outcome }, durationMs }: SettledDelivery): void {
    if (outcome === "not_attempted" || outcome === "expired" || outcome === "cancelled") return;
    this.#attemptsThat(outcome).value += 1;
    this.#durations.add(durationMs);
  }

  /** Looked up once a dispatch. */
  #attemptsThat(outcome: AttemptOutcome["kind"]): Counter {
    const known = this.#attempts.get(outcome);
    if (known !== undefined) return known;
    const { app, target } = this.#by;
    const made = counter("tidings_attempts_total", { app, target, outcome });
    this.#attempts.set(outcome, made);
    return made;
  }

  #count({ durationMs }: SettledDelivery): void {
    this.#accepted += 1;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
  }

  #logFailure({ source, offset, outcome, durationMs, line }: SettledDelivery): void {
    const delivery = this.#deliveries.find((one) => one.source === source && one.offset === offset);
    logStage("delivery.attempted", {
      ...this.#by,
      topic: delivery?.topic ?? null,
      partition: delivery?.partition ?? null,
      offset,
      attempt: delivery?.attempt ?? null,
      outcome: outcome.kind,
      duration_ms: durationMs,
      event_id: line === null ? null : parseEventLine(line).id,
      trace_id: line === null ? null : traceIdIn(line),
      status: "status" in outcome ? outcome.status : null,
      reason: "reason" in outcome ? outcome.reason : null,
    });
  }
}
