/** The RateLimit header fields (draft-ietf-httpapi-ratelimit-headers-10): structured fields, one policy each. */
import type { QuotaState } from "../../core/quotas.ts";

/** A quota that is not counted over time has no window to speak of. */
export function rateLimitHeaders({ name, limit, remaining, window }: QuotaState): Record<string, string> {
  const policy = `"${name}";q=${limit}`;
  const state = `"${name}";r=${remaining}`;
  return {
    "ratelimit-policy": window === null ? policy : `${policy};w=${window.seconds}`,
    ratelimit: window === null ? state : `${state};t=${window.endsInSeconds}`,
  };
}
