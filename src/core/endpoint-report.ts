/** What attempts say of the endpoint, and what they say of the event only, or of the hub. */
import { unreachable } from "./assert.ts";
import { joinKeys, type EndpointReport } from "./breaker.ts";
import type { AttemptOutcome } from "./delivery-decision.ts";

export interface ReportedAttempt {
  readonly outcome: AttemptOutcome;
  /** The fingerprint of its key where keys are ordered; else empty. */
  readonly key: string;
}

/** Null when they say nothing of it. */
export function reportOf(attempts: readonly ReportedAttempt[], byKey: boolean): EndpointReport | null {
  const told = attempts.filter(({ outcome }) => tellsOf(outcome) !== "nothing");
  if (told.length === 0) return null;
  const lastSuccess = told.findLastIndex(({ outcome }) => tellsOf(outcome) === "success");
  const failed = told.slice(lastSuccess + 1);
  const failedKey = failed.reduce((keys, { key }) => joinKeys(keys, key), "");
  return { succeeded: lastSuccess >= 0, failures: failed.length, failedKey, byKey };
}

/** Every refusal counts against it, those of single events too: an endpoint that accepts nothing is not well. */
function tellsOf(outcome: AttemptOutcome): "success" | "failure" | "nothing" {
  switch (outcome.kind) {
    case "accepted":
      return "success";
    case "refused":
      return "failure";
    case "unreachable":
      // Of these two the endpoint never heard.
      return outcome.reason === "lapsed" || outcome.reason === "secret_unreadable" ? "nothing" : "failure";
    case "gone": // Disables the subscription by itself.
    case "not_attempted":
    case "expired":
    case "cancelled":
    case "nacked": // Whoever gives something back is there.
    case "rejected":
    case "lease_expired":
      return "nothing";
    default:
      return unreachable(outcome);
  }
}
