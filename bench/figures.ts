/** From the samples of the blocks to the figures that are printed and kept. */
import { pairwiseRatios, summarize, type Summary } from "./numbers.ts";
import { isMet, targetOf, type Target } from "./targets.ts";

/** What one block measured, by figure: `{ "events/s": 1200, "p50 ms": 20 }`. */
export type Sample = Readonly<Record<string, number>>;

export interface Pair {
  readonly subject: Sample;
  readonly baseline: Sample;
}

export interface Figure {
  readonly measure: string;
  /** Its unit, too. */
  readonly name: string;
  readonly subject: Summary;
  readonly baseline: Summary | null;
  readonly ratio: Summary | null;
  readonly target: Target | null;
  /** Null where there is no target. */
  readonly met: boolean | null;
}

export const figuresOf = (measure: string, pairs: readonly Pair[]): Figure[] =>
  Object.keys(pairs[0]?.subject ?? {}).map((name) => figureOf(measure, name, pairs));

function figureOf(measure: string, name: string, pairs: readonly Pair[]): Figure {
  const subjects = pairs.map((pair) => pair.subject[name]!);
  const baselines = pairs.map((pair) => pair.baseline[name]!);
  const [subject, baseline] = [summarize(subjects), summarize(baselines)];
  const ratio = summarize(pairwiseRatios(subjects, baselines));
  const target = targetOf(measure, name);
  const met = target === null ? null : isMet(target, { subject, ratio });
  return { measure, name, subject, baseline, ratio, target, met };
}
