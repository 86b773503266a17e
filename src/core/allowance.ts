/** How often somebody may do something: so many a second, and so many at once after a rest (a token bucket). */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Allowance {
  /** Between 0 and the burst, fractions included. */
  readonly left: number;
  /** When it was so, milliseconds. */
  readonly at: number;
}

export const fullAllowance = ({ burst }: Rate, now: number): Allowance => ({ left: burst, at: now });

/** What is left after one more; null: there is none. A clock that runs back gives nothing and takes nothing. */
export function spend(allowance: Allowance, { perSecond, burst }: Rate, now: number): Allowance | null {
  const earned = (Math.max(0, now - allowance.at) * perSecond) / 1_000;
  const left = Math.min(burst, allowance.left + earned);
  return left < 1 ? null : { left: left - 1, at: Math.max(now, allowance.at) };
}
