/**
 * Counts what happens in this isolate, in its requests and its objects, until somebody takes the counts to where they
 * are kept (flush-counts.ts). An isolate that ends takes the counts of its last seconds with it: they tell how the hub
 * fares, and nobody is billed by them.
 */
import { DURATION_BUCKETS_SECONDS, seriesKey, type Labels, type MetricName, type Sample } from "../core/metrics.ts";

/** One series, added to in place: hot paths keep it and look nothing up. */
export interface Counter {
  value: number;
}

interface Counted extends Counter {
  readonly name: MetricName;
  readonly labels: Labels;
}

const counters = new Map<string, Counted>();

/** The label `app` is the app's id; the scrape shows its name. To be kept: the isolate keeps it as well. */
export function counter(name: MetricName, labels: Labels): Counter {
  const key = seriesKey(name, labels);
  const known = counters.get(key);
  if (known !== undefined) return known;
  const made = { name, labels, value: 0 };
  counters.set(key, made);
  return made;
}

export function count(name: MetricName, labels: Labels, by = 1): void {
  counter(name, labels).value += by;
}

/** A histogram, added to in place like a counter. */
export class Durations {
  readonly #name: MetricName;
  readonly #labels: Labels;
  readonly #sum: Counter;
  /** By upper bound in seconds. */
  readonly #buckets = new Map<number, Counter>();

  constructor(name: MetricName, labels: Labels) {
    this.#name = name;
    this.#labels = labels;
    this.#sum = counter(name, { ...labels, le: "sum" });
  }

  add(durationMs: number): void {
    const seconds = durationMs / 1_000;
    this.#bucket(DURATION_BUCKETS_SECONDS.find((bound) => seconds <= bound) ?? Infinity).value += 1;
    this.#sum.value += seconds;
  }

  #bucket(bound: number): Counter {
    const known = this.#buckets.get(bound);
    if (known !== undefined) return known;
    const made = counter(this.#name, { ...this.#labels, le: bound === Infinity ? "+Inf" : String(bound) });
    this.#buckets.set(bound, made);
    return made;
  }
}

/** Everything counted since it was taken last. */
export function takeCounts(): Sample[] {
  const taken: Sample[] = [];
  for (const one of counters.values()) {
    if (one.value === 0) continue;
    taken.push({ name: one.name, labels: one.labels, value: one.value });
    one.value = 0;
  }
  return taken;
}

/** What could not be taken anywhere is counted on. */
export function putBack(samples: readonly Sample[]): void {
  for (const { name, labels, value } of samples) count(name, labels, value);
}
