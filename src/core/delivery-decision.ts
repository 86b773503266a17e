/** All control flow after an attempt, in one place; the ledger only carries out what it says. */
import { unreachable } from "./assert.ts";
import { LIMITS } from "./limits.ts";
import { retryDelayMs, type RetryPolicy } from "./retry-schedule.ts";

export type AttemptOutcome =
  | { readonly kind: "accepted"; readonly status: number }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly retryAfterMs: number | null;
      readonly excerpt: string;
    }
  | { readonly kind: "unreachable"; readonly reason: UnreachableReason; readonly excerpt: string }
  /** 410: the target asks never to be called again. */
  | { readonly kind: "gone" }
  /** The consumer ran out of time before it began; costs no attempt. */
  | { readonly kind: "not_attempted" }
  /** Retention took the event before it could be delivered. */
  | { readonly kind: "expired" }
  /** It is a job of a batch that was cancelled before it began. */
  | { readonly kind: "cancelled" }
  /** A consumer gave it back; `delayMs` null: by the schedule. */
  | { readonly kind: "nacked"; readonly delayMs: number | null; readonly reason: string }
  /** A pull worker held it and was not heard of again. */
  | { readonly kind: "lease_expired" }
  /** No attempt would ever do. */
  | { readonly kind: "rejected"; readonly reason: RejectionReason; readonly excerpt: string };

export type RejectionReason =
  /** A consumer says that it will never take this event. */
  | "rejected"
  /** The event has been published again as often as one may be. */
  | "loop";

export type UnreachableReason =
  | "timeout"
  | "connection"
  | "redirect"
  | "address_refused"
  /** No resolver answered what the target's name stands for. */
  | "name_unresolved"
  /** No key of the environment opens the target's secret or a header's value. */
  | "secret_unreadable"
  | "listener_threw"
  /** Also when the hub has no such binding any more. */
  | "worker_threw"
  | "lapsed";

/** One attempt as operators see it. */
export interface AttemptRecord {
  readonly at: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  /** The beginning of what the target answered. */
  readonly excerpt: string;
}

export type DeliveryDecision =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "dead"; readonly reason: "attempts_exhausted" | "refused_permanently" | RejectionReason }
  /** Stop the subscription and keep the delivery owed. */
  | { readonly kind: "disable" }
  | { readonly kind: "return" }
  | { readonly kind: "expired" }
  /** Skipped: nobody wants it any more. */
  | { readonly kind: "cancelled" };

/** `attemptsMade` counts this one; `random` is in [0, 1). */
export function decideAfterAttempt(
  outcome: AttemptOutcome,
  attemptsMade: number,
  policy: RetryPolicy,
  random: number,
): DeliveryDecision {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "delivered" };
    case "gone":
      return { kind: "disable" };
    case "not_attempted":
      return { kind: "return" };
    case "expired":
      return { kind: "expired" };
    case "cancelled":
      return { kind: "cancelled" };
    case "refused":
      if (!isWorthRetrying(outcome.status, policy)) return { kind: "dead", reason: "refused_permanently" };
      return retryOrDead(attemptsMade, policy, random, outcome.retryAfterMs ?? 0);
    case "unreachable":
      return retryOrDead(attemptsMade, policy, random, 0);
    case "nacked":
      return retryAfterOrDead(attemptsMade, policy, outcome.delayMs ?? retryDelayMs(policy, attemptsMade, random));
    case "lease_expired":
      return retryAfterOrDead(attemptsMade, policy, 0); // It has waited for as long as the lease ran.
    case "rejected":
      return { kind: "dead", reason: outcome.reason };
    default:
      return unreachable(outcome);
  }
}

const PERMANENT_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 413, 415, 422]);

const isWorthRetrying = (status: number, policy: RetryPolicy): boolean =>
  policy.retryOn4xx || !PERMANENT_STATUSES.has(status);

function retryOrDead(attemptsMade: number, policy: RetryPolicy, random: number, atLeastMs: number): DeliveryDecision {
  const askedMs = Math.min(atLeastMs, LIMITS.RETRY_AFTER_MS_MAX);
  return retryAfterOrDead(attemptsMade, policy, Math.max(askedMs, retryDelayMs(policy, attemptsMade, random)));
}

const retryAfterOrDead = (attemptsMade: number, policy: RetryPolicy, delayMs: number): DeliveryDecision =>
  attemptsMade >= policy.maxAttempts ? { kind: "dead", reason: "attempts_exhausted" } : { kind: "retry", delayMs };
