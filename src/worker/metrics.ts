/** One scrape: what isolates have counted, from the tallies, and how objects stand, from themselves. */
import { LIMITS } from "../core/limits.ts";
import { seriesKey, type Labels, type MetricName, type Sample } from "../core/metrics.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { SubscriptionReport } from "../core/subscription-report.ts";
import type { Env } from "../env.ts";
import { flushCounts } from "../observability/flush-counts.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { metricTally, subscription } from "../stubs.ts";
import { Asking } from "./asking.ts";
import { hubOverviews } from "./hub-directory.ts";

/** `apps`: names by id. `isWhole`: what is counted of the hub as a whole is told too. */
export interface Scrape {
  readonly apps: ReadonlyMap<string, string>;
  readonly isWhole: boolean;
  /** Apps that there is no room for; of many, one. */
  readonly appsLeftOut: number;
}

/** Nothing of it fails: what cannot be reached is left out, and counted. Of this isolate nothing is missing. */
export async function collectMetrics(env: Env, scrape: Scrape, now: number): Promise<Sample[]> {
  await flushCounts(env, now);
  const asking = new Asking();
  const ids = [...scrape.apps.keys()];
  const [tallies, sockets, definitions] = await Promise.all([
    Promise.all(
      Array.from({ length: LIMITS.METRICS_SHARDS }, (_, shard) =>
        asking.one<readonly Sample[]>(
          async () => metricTally(env, shard).read(scrape.isWhole ? [...ids, ""] : ids),
          [],
        ),
      ),
    ),
    Promise.all(ids.map((app) => asking.one(() => socketSamples(env, app), []))),
    Promise.all(ids.map((app) => asking.one(() => new SubscriptionsStore(env.DB).all(app), []))),
  ]);
  const all = definitions.flat();
  const shown = all.slice(0, LIMITS.METRICS_SUBSCRIPTIONS_MAX);
  const ledgers = await asking.each(shown, (one) => ledgerSamples(env, one, now));
  const leftOut = all.length - shown.length + scrape.appsLeftOut;
  return [
    ...sumSamples([...tallies, ...sockets, ...ledgers].flat()).map((sample) => withAppName(sample, scrape.apps)),
    { name: "tidings_scrape_left_out", labels: {}, value: leftOut },
    { name: "tidings_scrape_unreached", labels: {}, value: asking.unreached },
  ];
}

async function socketSamples(env: Env, app: string): Promise<Sample[]> {
  const hubs = await hubOverviews(env, app);
  return hubs.map(({ protocol, region, sockets: value }) => {
    return { name: "tidings_sockets", labels: { app, protocol, region }, value };
  });
}

async function ledgerSamples(env: Env, definition: SubscriptionDefinition, now: number): Promise<Sample[]> {
  const { app, id, name } = definition;
  const report = await subscription(env, app, id).report();
  return report.ok ? samplesOf({ app, subscription: name }, report.value, now) : [];
}

function samplesOf(labels: Labels, { state, health, stats }: SubscriptionReport, now: number): Sample[] {
  const { delivered, expired, skipped, discarded, oldestOwedAt } = stats;
  const gauges: Partial<Record<MetricName, number>> = {
    tidings_subscription_breaker_open: Number(health.state !== "closed"),
    tidings_subscription_dead_letters: stats.dead,
    tidings_subscription_in_flight: stats.inFlight,
    tidings_subscription_lag_events: stats.lag,
    tidings_subscription_oldest_owed_seconds:
      oldestOwedAt === null ? 0 : Math.max(0, now - Date.parse(oldestOwedAt)) / 1_000,
    tidings_subscription_owed: stats.owed,
    tidings_subscription_running: Number(state === "active"),
  };
  const ended = Object.entries({ delivered, expired, skipped, discarded }).map(([outcome, value]): Sample => {
    return { name: "tidings_deliveries_total", labels: { ...labels, outcome }, value };
  });
  return [...Object.entries(gauges).map(([name, value]) => ({ name: name as MetricName, labels, value })), ...ended];
}

/** Series of several tallies, or of several hubs of one region. */
function sumSamples(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of samples) {
    const key = seriesKey(sample.name, sample.labels);
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

function withAppName(sample: Sample, names: ReadonlyMap<string, string>): Sample {
  const { app, ...labels } = sample.labels;
  return app === undefined ? sample : { ...sample, labels: { app: names.get(app) ?? app, ...labels } };
}
