/** Whether a subscription stands as its owner would wish, and what is to be told when that changes. */
import type { OperationNews } from "./operation-event.ts";

/** What operators have been told and not yet been told the end of. */
export interface LedgerStanding {
  readonly isLagging: boolean;
  readonly isStalled: boolean;
}

export const WELL: LedgerStanding = { isLagging: false, isStalled: false };

export interface LedgerLook {
  /** Events that were not examined; null: unknown, because a log has not been heard of since the ledger woke. */
  readonly lag: number | null;
  readonly owed: number;
  /** Since when the oldest delivery is owed, milliseconds; null: none is. */
  readonly oldestOwedAt: number | null;
}

export interface StandingThresholds {
  readonly lagEvents: number;
  readonly stalledMs: number;
}

/** Each change is told once: it lags from the threshold on, and no more when it has made up for half of it. */
export function judgeStanding(
  before: LedgerStanding,
  { lag, owed, oldestOwedAt }: LedgerLook,
  { lagEvents, stalledMs }: StandingThresholds,
  now: number,
): { readonly standing: LedgerStanding; readonly news: readonly OperationNews[] } {
  const news: OperationNews[] = [];
  const isLagging = lag === null ? before.isLagging : lag >= (before.isLagging ? lagEvents / 2 : lagEvents);
  if (isLagging && !before.isLagging) news.push({ kind: "subscription.lagging", lag: lag!, threshold: lagEvents });
  if (!isLagging && before.isLagging) news.push({ kind: "subscription.level", lag: lag! });
  const isStalled = oldestOwedAt !== null && now - oldestOwedAt >= stalledMs;
  const oldestOwed = oldestOwedAt === null ? null : new Date(oldestOwedAt).toISOString();
  if (isStalled && !before.isStalled) news.push({ kind: "subscription.stalled", owed, oldestOwedAt: oldestOwed! });
  if (!isStalled && before.isStalled) news.push({ kind: "subscription.moving", owed });
  return { standing: { isLagging, isStalled }, news };
}
