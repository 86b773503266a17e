/** When an endpoint that fails is left alone: `breaker` and `disableAfter` of a subscription. */
import { BREAKER_DEFAULT, type BreakerPolicy } from "../../core/breaker.ts";
import { formatDuration } from "../../core/duration.ts";
import { isObjectText, members } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { DefinitionReader, Members } from "./definition-reader.ts";

export function readBreaker(
  reader: DefinitionReader,
  raw: string | undefined,
  disableAfterMs: number | null,
): BreakerPolicy {
  const given = reader.object(raw ?? "{}", "/breaker", ["failures", "over", "probeEvery"]);
  const count = { min: 1, max: LIMITS.BREAKER_ATTEMPTS_MAX };
  const failures = reader.integer(given.get("failures"), "/breaker/failures", count);
  const over = { min: 0, max: LIMITS.BREAKER_OVER_MS_MAX };
  const overMs = reader.durationMs(given.get("over"), "/breaker/over", over);
  const probe = { min: LIMITS.BREAKER_PROBE_MS_MIN, max: LIMITS.BREAKER_PROBE_MS_MAX };
  const probeEveryMs = reader.durationMs(given.get("probeEvery"), "/breaker/probeEvery", probe);
  return {
    failures: failures ?? BREAKER_DEFAULT.failures,
    overMs: overMs ?? BREAKER_DEFAULT.overMs,
    probeEveryMs: probeEveryMs ?? BREAKER_DEFAULT.probeEveryMs,
    disableAfterMs,
  };
}

/** Here null is a word of its own: never. Without the member it is the default. */
export function readDisableAfter(reader: DefinitionReader, text: string, given: Members): number | null {
  const isNever =
    isObjectText(text) && members(text).some(({ name, raw }) => name === "disableAfter" && raw === "null");
  if (isNever) return null;
  const range = { min: LIMITS.DISABLE_AFTER_MS_MIN, max: LIMITS.DISABLE_AFTER_MS_MAX };
  return reader.durationMs(given.get("disableAfter"), "/disableAfter", range) ?? BREAKER_DEFAULT.disableAfterMs;
}

export interface BreakerView {
  readonly breaker: { readonly failures: number; readonly over: string; readonly probeEvery: string };
  /** Null: never. */
  readonly disableAfter: string | null;
}

export const formatBreaker = (policy: BreakerPolicy = BREAKER_DEFAULT): BreakerView => ({
  breaker: {
    failures: policy.failures,
    over: formatDuration(policy.overMs),
    probeEvery: formatDuration(policy.probeEveryMs),
  },
  disableAfter: policy.disableAfterMs === null ? null : formatDuration(policy.disableAfterMs),
});
