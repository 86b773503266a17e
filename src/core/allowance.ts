/** How often somebody may do something: so many a second, and so many at once after a rest (a token bucket). */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Allowance {
  /** In thousandths, so that nothing is lost to fractions: what a millisecond earns is whole. */
  readonly left: number;
  /** When it was so, milliseconds. */
  readonly at: number;
}

export const fullAllowance = ({ burst }: Rate, now: number): Allowance => ({ left: burst * 1_000, at: now });

/** What is left after one more; null: there is none. A clock that runs back gives nothing and takes nothing. */
export function spend(allowance: Allowance, { perSecond, burst }: Rate, now: number): Allowance | null {
  const earned = Math.max(0, now - allowance.at) * perSecond;
  const left = Math.min(burst * 1_000, allowance.left + earned);
  return left < 1_000 ? null : { left: left - 1_000, at: Math.max(now, allowance.at) };
}
