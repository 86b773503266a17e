/** What Prometheus scrapes: an operator's credential sees all apps, an app's admin its own. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import { AppsStore } from "../../store/apps-store.ts";
import { formatMetrics, PROMETHEUS_TYPE } from "../../wire/prometheus/format-metrics.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { IsolateCache } from "../isolate-cache.ts";
import { collectMetrics, type Scrape } from "../metrics.ts";
import { problem } from "../respond.ts";

export const metricsRoute = new Hono<HubBindings>().get("/metrics", getMetrics);

/** By what the scrape shows: several who scrape cost as much as one. */
const scraped = new IsolateCache<string>(LIMITS.METRICS_APPS_MAX);

async function getMetrics(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  if (!isAdmin(principal)) return problem({ code: "scope_missing" });
  const isWhole = principal.kind === "root" && c.req.header("tidings-app") === undefined;
  const now = Date.now();
  const key = isWhole ? "" : principal.app;
  const asksAnew = c.req.header("cache-control") === "no-cache";
  const known = asksAnew ? undefined : scraped.get(key, now);
  if (known !== undefined) return answer(known);
  const scrape = isWhole ? await wholeScrape(c) : ownScrape(c);
  const text = formatMetrics(await collectMetrics(c.env, scrape, now));
  scraped.set(key, text, now + LIMITS.METRICS_CACHE_MS);
  return answer(text);
}

const ownScrape = ({ var: { principal } }: HubContext): Scrape => {
  return { apps: new Map([[principal.app, principal.appName]]), isWhole: false, appsLeftOut: 0 };
};

async function wholeScrape(c: HubContext): Promise<Scrape> {
  const found = await new AppsStore(c.env.DB).list("", LIMITS.METRICS_APPS_MAX + 1);
  const apps = found.slice(0, LIMITS.METRICS_APPS_MAX);
  return {
    apps: new Map(apps.map(({ id, name }) => [id, name])),
    isWhole: true,
    appsLeftOut: found.length - apps.length,
  };
}

const answer = (text: string): Response => new Response(text, { headers: { "content-type": PROMETHEUS_TYPE } });
