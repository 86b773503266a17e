/** `ratePerSecond`: a bucket of tokens, one for each call of the target. It holds one second's worth and no more. */

/** As it stood at `at`, milliseconds since 1970. Less than nothing: more went out than there were. */
export interface RateBucket {
  readonly tokens: number;
  readonly at: number;
}

/** How many may go now. A few together at least, because a dispatch of one costs as much as a dispatch of many. */
export function rateRoom(bucket: RateBucket | null, perSecond: number, now: number): number {
  const { tokens } = refill(bucket, perSecond, now);
  return tokens >= portionOf(perSecond) ? Math.floor(tokens) : 0;
}

/** When `rateRoom` leaves some; null: it does already. */
export function rateRoomAt(bucket: RateBucket | null, perSecond: number, now: number): number | null {
  const missing = portionOf(perSecond) - refill(bucket, perSecond, now).tokens;
  return missing <= 0 ? null : now + Math.ceil((missing / perSecond) * 1_000);
}

export function spendTokens(bucket: RateBucket | null, perSecond: number, calls: number, now: number): RateBucket {
  const { tokens, at } = refill(bucket, perSecond, now);
  return { tokens: tokens - calls, at };
}

/** Null: nothing has gone out yet. A clock that steps back brings nothing and takes nothing. */
function refill(bucket: RateBucket | null, perSecond: number, now: number): RateBucket {
  if (bucket === null) return { tokens: perSecond, at: now };
  const elapsedMs = Math.max(0, now - bucket.at);
  return { tokens: Math.min(perSecond, bucket.tokens + (elapsedMs * perSecond) / 1_000), at: now };
}

/** A quarter of a second's worth. */
const portionOf = (perSecond: number): number => Math.max(1, Math.ceil(perSecond / 4));
