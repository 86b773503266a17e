/** How it is said that a quota is used up: the limit, what it would have become, and when to come again. */
import { RATE_WINDOW_MS, type LeaseAsk } from "./quota-lease.ts";
import { fail, type Result } from "./result.ts";

/** Definitions are given up by hand, so there is no moment to name. */
const DEFINITIONS_RETRY_SECONDS = 60;

/** One more than there may be at a time. */
export const definitionsUsedUp = (name: "topics" | "subscriptions", limit: number): Result<never> =>
  fail("quota_exceeded", `The app has as many ${name} as it may; delete one first.`, {
    limit,
    actual: limit + 1,
    retryAfterSeconds: DEFINITIONS_RETRY_SECONDS,
    quota: { name, limit, remaining: 0, window: null },
  });

/** More units than the window has left. */
export function rateUsedUp(
  { subject, rate, limit, units }: LeaseAsk,
  remaining: number,
  endsInMs: number,
): Result<never> {
  const endsInSeconds = Math.max(1, Math.ceil(endsInMs / 1_000));
  return fail("quota_exceeded", `This is more than ${rate} of the ${subject === "app" ? "app" : "key"} leaves.`, {
    limit,
    actual: limit - remaining + units,
    retryAfterSeconds: endsInSeconds,
    quota: { name: rate, limit, remaining, window: { seconds: RATE_WINDOW_MS[rate] / 1_000, endsInSeconds } },
  });
}
