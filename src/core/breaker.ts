/**
 * Whether an endpoint is called at all. Many failures in a row, over a while, with no success between them, open the
 * breaker; from then on one attempt now and then asks whether the endpoint is well again. Time is the caller's.
 */
import { LIMITS } from "./limits.ts";

/** `half_open`: a probe is due or under way. */
export type BreakerState = "closed" | "open" | "half_open";

/** `tripped`: the failure that was one too many. `waited`: the time of the next probe has come. `mended`: by people. */
export type BreakerEvent = "succeeded" | "failed" | "tripped" | "waited" | "mended";

export const BREAKER_TABLE: Readonly<Record<BreakerState, Readonly<Record<BreakerEvent, BreakerState>>>> = {
  closed: { succeeded: "closed", failed: "closed", tripped: "open", waited: "closed", mended: "closed" },
  // What was under way when it opened may still fail; that says nothing new.
  open: { succeeded: "closed", failed: "open", tripped: "open", waited: "half_open", mended: "closed" },
  half_open: { succeeded: "closed", failed: "open", tripped: "open", waited: "half_open", mended: "closed" },
};

export interface BreakerPolicy {
  /** So many failures in a row, at least, … */
  readonly failures: number;
  /** … over so long a time, open it. */
  readonly overMs: number;
  readonly probeEveryMs: number;
  /** An endpoint that has failed for so long has its subscription disabled; null: never. */
  readonly disableAfterMs: number | null;
}

export const BREAKER_DEFAULT: BreakerPolicy = {
  failures: LIMITS.BREAKER_ATTEMPTS_DEFAULT,
  overMs: LIMITS.BREAKER_OVER_MS_DEFAULT,
  probeEveryMs: LIMITS.BREAKER_PROBE_MS_DEFAULT,
  disableAfterMs: LIMITS.DISABLE_AFTER_MS_DEFAULT,
};

/** What is kept of an endpoint: scalars only. Times are milliseconds since 1970. */
export interface Breaker {
  readonly phase: BreakerState;
  /** In a row, up to now. */
  readonly failures: number;
  /** When the first of them was told; 0: there is none. */
  readonly since: number;
  /** When it may be asked again; 0: it is not closed to anybody. */
  readonly probeAt: number;
  /** The fingerprint of the one key that failed so far, or `SEVERAL_KEYS`. */
  readonly failedKey: string;
}

export const SEVERAL_KEYS = "*";

export const CLOSED_BREAKER: Breaker = { phase: "closed", failures: 0, since: 0, probeAt: 0, failedKey: "" };

/** What came of the attempts since the last report, in their order. Short and ASCII: it travels in a header. */
export interface EndpointReport {
  /** There was a success; the failures are those after it. */
  readonly succeeded: boolean;
  readonly failures: number;
  /** As in `Breaker`, over these failures. */
  readonly failedKey: string;
  /** Keys are ordered: then one of them that fails says nothing of the endpoint. */
  readonly byKey: boolean;
}

export interface EndpointVerdict {
  readonly breaker: Breaker;
  /** It has failed for as long as the subscription is willing to wait. */
  readonly disable: boolean;
}

export function judgeEndpoint(
  before: Breaker,
  report: EndpointReport,
  policy: BreakerPolicy,
  now: number,
): EndpointVerdict {
  const waited = breakerAt(before, now);
  const start = report.succeeded ? advance(waited, "succeeded") : waited;
  const breaker = report.failures === 0 ? start : failMore(start, report, policy, now);
  const { disableAfterMs } = policy;
  const disable = breaker.phase !== "closed" && disableAfterMs !== null && now - breaker.since >= disableAfterMs;
  return { breaker, disable };
}

/** What it has become by waiting alone. */
export const breakerAt = (breaker: Breaker, now: number): Breaker =>
  breaker.phase === "open" && now >= breaker.probeAt ? advance(breaker, "waited") : breaker;

/** Two reports in a row as one. */
export function joinReports(first: EndpointReport, second: EndpointReport): EndpointReport {
  if (second.succeeded) return second;
  return {
    ...second,
    succeeded: first.succeeded,
    failures: first.failures + second.failures,
    failedKey: joinKeys(first.failedKey, second.failedKey),
  };
}

export const joinKeys = (first: string, second: string): string => {
  if (first === "" || second === "") return first + second;
  return first === second ? first : SEVERAL_KEYS;
};

function failMore(before: Breaker, report: EndpointReport, policy: BreakerPolicy, now: number): Breaker {
  const failures = before.failures + report.failures;
  const since = before.since === 0 ? now : before.since;
  const failedKey = joinKeys(before.failedKey, report.failedKey);
  const isSpread = !report.byKey || failedKey === SEVERAL_KEYS;
  const isTripped = isSpread && failures >= policy.failures && now - since >= policy.overMs;
  const { phase } = advance(before, isTripped ? "tripped" : "failed");
  const isNewlyOpen = phase === "open" && before.phase !== "open";
  const probeAt = isNewlyOpen ? now + policy.probeEveryMs : before.probeAt;
  return { phase, failures, since, failedKey, probeAt };
}

function advance(breaker: Breaker, event: BreakerEvent): Breaker {
  const phase = BREAKER_TABLE[breaker.phase][event];
  return phase === "closed" && event !== "failed" ? CLOSED_BREAKER : { ...breaker, phase };
}
