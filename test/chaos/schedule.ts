/** Which fault comes when: drawn from the seed alone, so that a seed is a run. Pure. */

export const NEMESES = [
  "kill-all",
  "kill-runtime",
  "pause",
  "reset",
  "cut",
  "stall",
  "clock",
  "queue",
  "database",
  "answers",
  "aborts",
  "evictions",
] as const;

export type Nemesis = (typeof NEMESES)[number];

export interface Act {
  readonly nemesis: Nemesis;
  /** Calm before it, milliseconds. */
  readonly afterMs: number;
  readonly forMs: number;
  /** In [0, 1): how hard. */
  readonly strength: number;
}

export interface Pace {
  /** How long the calm before each act is, and how long each act that lasts. */
  readonly calmMs: readonly [least: number, most: number];
  readonly actMs: readonly [least: number, most: number];
}

/** Each nemesis once before any comes again, in an order that is drawn anew each time. Without an end. */
export function* schedule(random: () => number, { calmMs, actMs }: Pace): Generator<Act> {
  const between = ([least, most]: readonly [number, number]): number => Math.round(least + random() * (most - least));
  for (;;) {
    const bag = [...NEMESES];
    while (bag.length > 0) {
      const [nemesis] = bag.splice(Math.floor(random() * bag.length), 1);
      yield { nemesis: nemesis!, afterMs: between(calmMs), forMs: between(actMs), strength: random() };
    }
  }
}
