/** What the hub hands to another Worker's `deliver`, and what it takes for an answer. */
import type { ConsumedEvent } from "../../core/event.ts";
import { LIMITS } from "../../core/limits.ts";

export interface DeliveryBatch<Data = unknown> {
  /** The app's id: a Worker that serves one app only can refuse the others. */
  readonly app: string;
  /** The subscription's name. */
  readonly subscription: string;
  readonly deliveries: readonly Delivery<Data>[];
}

export interface Delivery<Data = unknown> {
  /** Stable over attempts and redrives: the idempotency key for whatever the delivery causes. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly redrive: boolean;
  readonly event: ConsumedEvent<Data>;
}

/** What became of one delivery; one that no outcome names is tried again. */
export type DeliveryOutcome =
  | { readonly id: string; readonly outcome: "delivered" }
  /** `delayMs` absent: by the subscription's schedule. */
  | { readonly id: string; readonly outcome: "retry"; readonly delayMs?: number; readonly reason?: string }
  /** Never again: it becomes a dead letter at once. */
  | { readonly id: string; readonly outcome: "reject"; readonly reason?: string };

const REASON_CHARS_MAX = 1_000;

/** By delivery. The answer is another Worker's and may be anything; what is not an outcome counts as not said. */
export function readOutcomes(answer: unknown): ReadonlyMap<string, DeliveryOutcome> {
  const outcomes = Array.isArray(answer) ? answer.map(readOutcome) : [];
  return new Map(outcomes.flatMap((outcome) => (outcome === null ? [] : [[outcome.id, outcome] as const])));
}

function readOutcome(item: unknown): DeliveryOutcome | null {
  if (typeof item !== "object" || item === null) return null;
  const { id, outcome, delayMs, reason } = item as Readonly<Record<string, unknown>>;
  if (typeof id !== "string") return null;
  const because = typeof reason === "string" ? { reason: reason.slice(0, REASON_CHARS_MAX) } : {};
  if (outcome === "delivered") return { id, outcome };
  if (outcome === "reject") return { id, outcome, ...because };
  return outcome === "retry" ? { id, outcome, ...because, ...readDelay(delayMs) } : null;
}

function readDelay(delayMs: unknown): { delayMs?: number } {
  if (typeof delayMs !== "number" || !(delayMs >= 0)) return {};
  return { delayMs: Math.floor(Math.min(delayMs, LIMITS.RETRY_DELAY_MS_MAX)) };
}
