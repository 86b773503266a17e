/**
 * Keeps what isolates have counted, by app. There are a few of it: each isolate adds to one, a scrape reads all. It is
 * called once in some seconds by each isolate in which something happens, and by none where nothing does.
 */
import { DurableObject } from "cloudflare:workers";
import { LIMITS } from "../../core/limits.ts";
import { seriesKey, type Sample } from "../../core/metrics.ts";
import type { Env } from "../../env.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { MetricTallyRpc } from "../rpc/metric-tally.ts";
import { TALLY_MIGRATIONS } from "./tally-migrations.ts";
import { TallyStore } from "./tally-store.ts";

export class MetricTally extends DurableObject<Env> implements MetricTallyRpc {
  readonly #tallies: TallyStore;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    applyMigrations(ctx.storage, TALLY_MIGRATIONS);
    this.#tallies = new TallyStore(ctx.storage.sql);
  }

  async add(samples: readonly Sample[]): Promise<void> {
    const byApp = Map.groupBy(samples, ({ labels }) => labels["app"] ?? "");
    this.ctx.storage.transactionSync(() => {
      for (const [app, added] of byApp) this.#tallies.write(app, sumSamples([...this.#tallies.find(app), ...added]));
    });
  }

  async read(apps: readonly string[]): Promise<readonly Sample[]> {
    return apps.flatMap((app) => this.#tallies.find(app));
  }
}

/** The labels are the hub's own words, so there are few series; should there be more, the newest find no room. */
function sumSamples(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of samples) {
    const key = seriesKey(sample.name, sample.labels);
    const known = sums.get(key);
    if (known !== undefined) sums.set(key, { ...known, value: known.value + sample.value });
    else if (sums.size < LIMITS.METRICS_SERIES_MAX) sums.set(key, sample);
  }
  return [...sums.values()];
}
