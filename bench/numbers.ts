/** The few statistics that the bench needs. All of them refuse an empty list: a figure of nothing is not zero. */

/** The smallest and the largest of several samples around their median. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The value below which the given share (0–1) of the values lies, between neighbours by straight line. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error("no values");
  const sorted = Float64Array.from(values).toSorted();
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const summarize = (values: readonly number[]): Summary => ({
  median: median(values),
  low: quantile(values, 0),
  high: quantile(values, 1),
});

/**
 * Ratios pair by pair. Two blocks of one pair ran within seconds of each other, so what else the machine did in that
 * time weighs on both; the ratio of two medians would not cancel it.
 */
export function pairwiseRatios(subject: readonly number[], baseline: readonly number[]): number[] {
  if (subject.length !== baseline.length) throw new Error("samples that do not pair");
  return subject.map((value, index) => value / baseline[index]!);
}
