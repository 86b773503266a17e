/** `POST /v1/subscriptions/{name}/pull`: how many deliveries, for how long, and whether to wait for the first. */
import { LIMITS } from "../../core/limits.ts";
import type { PulledDelivery } from "../../core/pull.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface PullRequest {
  readonly max: number;
  readonly leaseMs: number;
  readonly waitMs: number;
}

/** An empty body asks for the defaults. */
export function parsePullRequest(text: string): Result<PullRequest> {
  const raw = parseDefinition(text === "" ? "{}" : text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["max", "lease", "wait"]);
  const max = reader.integer(given.get("max"), "/max", { min: 1, max: LIMITS.PULL_DELIVERIES_MAX });
  const lease = { min: LIMITS.PULL_LEASE_MS_MIN, max: LIMITS.PULL_LEASE_MS_MAX };
  const leaseMs = reader.durationMs(given.get("lease"), "/lease", lease);
  const waitMs = reader.durationMs(given.get("wait"), "/wait", { min: 0, max: LIMITS.WAIT_MS_MAX });
  return reader.finish("parameter_invalid", () => ({
    max: max ?? LIMITS.PULL_DELIVERIES_DEFAULT,
    leaseMs: leaseMs ?? LIMITS.PULL_LEASE_MS_DEFAULT,
    waitMs: waitMs ?? 0,
  }));
}

/** Each event stays the text that the log holds. */
export function formatPulled(deliveries: readonly PulledDelivery[]): string {
  const items = deliveries.map(({ id, lease, leaseUntil, attempt, redrive, line }) => {
    const until = new Date(leaseUntil).toISOString();
    const mark = redrive ? `,"redrive":true` : "";
    return `{"id":"${id}","lease":"${lease}","leaseUntil":"${until}","attempt":${attempt}${mark},"event":${line}}`;
  });
  return `{"deliveries":[${items.join(",")}]}`;
}
