/** When a failed delivery goes again. The ledger's alarm keeps these delays, never the Queue. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  /** Before attempts 2, 3, …; the last repeats. */
  readonly delaysMs: readonly number[];
  /** Gives 4xx answers that say "never" (400, 401, 404 …) another chance too. */
  readonly retryOn4xx: boolean;
}

export const DEFAULT_DELAYS_MS: readonly number[] = [
  5_000, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000, 86_400_000,
];

/** `random` is in [0, 1). Jitter over the upper fifth, so a delay is never shorter than 0.8 of its step. */
export function retryDelayMs(policy: RetryPolicy, attemptsMade: number, random: number): number {
  const step = policy.delaysMs[attemptsMade - 1] ?? policy.delaysMs.at(-1) ?? 0;
  return Math.ceil(step * 0.8 + step * 0.2 * random);
}
