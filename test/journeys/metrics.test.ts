/** What Prometheus is told, judged by Prometheus' own tool; and that the dashboard and the alerts ask for what there is. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPromtool } from "../../scripts/lib/promtool.ts";
import { METRICS } from "../../src/core/metrics.ts";
import { REPOSITORY } from "../harness/bundle.ts";
import { startHub, type Hub, type Page } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const PROMTOOL = findPromtool(process.env);

let hub: Hub;
let sink: Sink;

/** A series with its labels, as it stands in the text, to its value. */
type Scraped = ReadonlyMap<string, number>;

async function scrape(headers: Record<string, string> = {}): Promise<{ text: string; series: Scraped }> {
  const answer = await hub.request("/metrics", { headers: { "cache-control": "no-cache", ...headers } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  const text = await answer.text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return {
    text,
    series: new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))])),
  };
}

/** By how much a series has grown between two looks. */
const grown = (before: Scraped, after: Scraped, series: string): number =>
  (after.get(series) ?? 0) - (before.get(series) ?? 0);

beforeAll(async () => {
  [hub, sink] = await Promise.all([startHub(), Sink.open()]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

describe("a scrape", () => {
  it("[MET-1] counts publishes, events, bytes, duplicates, deliveries, attempts, frames, refusals and rows", async () => {
    sink.respond(({ event }) => (event.type === "bad" ? 400 : 204));
    const target = { kind: "webhook", url: sink.url };
    await hub.json("PUT", "/v1/subscriptions/counted", { topics: ["counted"], target });
    await hub.publish("counted", { type: "first" });
    const socket = await hub.connect();
    await socket.subscribe("counted");
    const { series: before } = await scrape();
    await hub.publish("counted", [{ type: "good", id: "e1" }, { type: "bad" }]);
    await hub.publish("counted", { type: "good", id: "e1" });
    await hub.publish("counted", "{");
    await socket.until(() => socket.events("counted").length === 2);
    const { series: after } = await eventually(
      () => scrape(),
      ({ series }) =>
        series.get(`tidings_subscription_dead_letters{app="default",subscription="counted"}`) === 1 &&
        series.get(`tidings_deliveries_total{app="default",subscription="counted",outcome="delivered"}`) === 2,
      "two are delivered and one is dead",
    );
    const by = (series: string): number => grown(before, after, series);
    expect(by(`tidings_events_deduplicated_total{app="default"}`)).toBe(1);
    expect(by(`tidings_refusals_total{code="json_invalid"}`)).toBe(1);
    expect(by(`tidings_attempts_total{app="default",target="webhook",outcome="refused"}`)).toBe(1);
    expect(by(`tidings_attempts_total{app="default",target="webhook",outcome="accepted"}`)).toBe(1);
    expect(by(`tidings_http_requests_total{app="default",status="2xx"}`)).toBeGreaterThanOrEqual(2);
    expect(by(`tidings_frames_sent_total{app="default",protocol="native"}`)).toBeGreaterThanOrEqual(1);
    expect(by(`tidings_object_rows_written_total{app="default",object="log"}`)).toBeGreaterThanOrEqual(1);
    expect(by(`tidings_queue_operations_total{operation="write"}`)).toBeGreaterThanOrEqual(1);
    expect(after.get(`tidings_sockets{app="default",protocol="native",region="any"}`)).toBe(1);
    const buckets = [...after].filter(([key]) => key.startsWith("tidings_attempt_duration_seconds_bucket{"));
    const values = buckets.map(([, value]) => value);
    expect(values).toEqual(values.toSorted((left, right) => left - right));
    expect(values.at(-1)).toBe(after.get(`tidings_attempt_duration_seconds_count{app="default",target="webhook"}`));
    socket.close();
  });

  it("[MET-1] counts exactly what was published, appended and committed", async () => {
    await hub.json("POST", "/v1/apps", { name: "plain" });
    const as = { "tidings-app": "plain" };
    for (const count of [1, 5, 100])
      await hub.publish(
        "plain",
        Array.from({ length: count }, () => ({ type: "t" })),
        as,
      );
    const { body } = await hub.json<Page>("GET", "/v1/topics/plain/events?limit=1000", undefined, as);
    const { series } = await scrape(as);
    const of = (name: string): number | undefined => series.get(`${name}{app="plain"}`);
    expect(of("tidings_publishes_total")).toBe(3);
    expect(of("tidings_log_commits_total")).toBe(3);
    expect(of("tidings_events_appended_total")).toBe(106);
    const characters = body.events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
    expect(of("tidings_events_appended_bytes_total")).toBe(characters);
    expect(series.get(`tidings_object_rows_written_total{app="plain",object="log"}`)).toBeLessThanOrEqual(8);
  });

  it("[MET-2] tells how a paused subscription falls behind, and that it does not run", async () => {
    const labels = `{app="default",subscription="paused"}`;
    await hub.json("PUT", "/v1/subscriptions/paused", { topics: ["late"], target: { kind: "webhook", url: sink.url } });
    await hub.json("POST", "/v1/subscriptions/paused/pause");
    await hub.publish("late", [{ type: "a" }, { type: "b" }, { type: "c" }]);
    const { series } = await scrape();
    expect(series.get(`tidings_subscription_lag_events${labels}`)).toBe(3);
    expect(series.get(`tidings_subscription_running${labels}`)).toBe(0);
    expect(series.get(`tidings_subscription_breaker_open${labels}`)).toBe(0);
  });

  it("[MET-2] tells what is owed and for how long, what has died, and how many sockets are open", async () => {
    const target = { kind: "webhook", url: sink.url };
    const retry = { maxAttempts: 2, schedule: ["1h"] };
    await hub.json("PUT", "/v1/subscriptions/owing", { topics: ["owing"], target, retry });
    await hub.json("PUT", "/v1/subscriptions/dying", {
      topics: ["owing"],
      target,
      retry: { ...retry, maxAttempts: 1 },
    });
    sink.respond(() => 500);
    await hub.publish("owing", [{ type: "a" }, { type: "b" }]);
    const socket = await hub.connect();
    const of = (name: string, subscription: string) =>
      `tidings_subscription_${name}{app="default",subscription="${subscription}"}`;
    const { series } = await eventually(
      () => scrape(),
      ({ series: seen }) => seen.get(of("dead_letters", "dying")) === 2 && seen.get(of("in_flight", "owing")) === 0,
      "both have been tried",
    );
    sink.respond(() => 204);
    expect(series.get(of("owed", "owing"))).toBe(2);
    expect(series.get(of("oldest_owed_seconds", "owing"))).toBeGreaterThan(0);
    expect([series.get(of("owed", "dying")), series.get(of("oldest_owed_seconds", "dying"))]).toEqual([0, 0]);
    const sockets = [...series].filter(([key]) => key.startsWith(`tidings_sockets{app="default"`));
    expect(sockets.reduce((sum, [, value]) => sum + value, 0)).toBeGreaterThan(0);
    await socket.close();
  });

  it("[MET-3] shows an app's admin that app alone, the operator all, and others nothing", async () => {
    await hub.json("POST", "/v1/apps", { name: "tenant" });
    const keyWith = async (scopes: readonly string[]): Promise<Record<string, string>> => {
      const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", app: "tenant", scopes });
      return { authorization: `Bearer ${body.key}` };
    };
    const admin = await keyWith(["admin"]);
    await hub.publish("theirs", { type: "t" }, admin);
    const { series: own } = await scrape(admin);
    expect(own.get(`tidings_events_appended_total{app="tenant"}`)).toBe(1);
    const foreign = [...own.keys()].filter(
      (key) => !key.includes(`app="tenant"`) && !key.startsWith("tidings_scrape_"),
    );
    expect(foreign).toEqual([]);
    const { series: all } = await scrape();
    expect(all.get(`tidings_events_appended_total{app="tenant"}`)).toBe(1);
    expect(all.get(`tidings_events_appended_total{app="default"}`)).toBeGreaterThan(0);
    const { series: named } = await scrape({ "tidings-app": "tenant" });
    expect([...named.keys()].some((key) => key.includes(`app="default"`))).toBe(false);
    const refused = await hub.json("GET", "/metrics", undefined, await keyWith(["manage:**", "history:**"]));
    expect(refused.body["code"]).toBe("scope_missing");
  });

  it("[MET-4] keeps what was counted when every object has gone to sleep", async () => {
    const { series: before } = await scrape();
    for (const kind of ["TopicLog", "Subscription", "MetricTally", "ChannelHub"]) await hub.evictAll(kind);
    const { series: after } = await scrape();
    const counters = [...before].filter(([key]) => /_total\{/.test(key));
    expect(counters.length).toBeGreaterThan(10);
    for (const [key, value] of counters) expect(after.get(key), key).toBeGreaterThanOrEqual(value);
  });

  it.skipIf(PROMTOOL === null)("[MET-5] passes promtool's check without a warning", async () => {
    const { text } = await scrape();
    const { status, stdout, stderr } = spawnSync(PROMTOOL!, ["check", "metrics"], { input: text, encoding: "utf8" });
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
    const broken = text.replace("# HELP tidings_publishes_total", "# HELP tidings_another_total");
    expect(spawnSync(PROMTOOL!, ["check", "metrics"], { input: broken }).status).not.toBe(0);
  });

  it("[MET-6] says nothing that the table of metrics does not have, and every metric's labels as they stand there", async () => {
    const { text, series } = await scrape();
    for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
      expect(METRICS[name as keyof typeof METRICS]?.type).toBe(type);
    for (const key of series.keys()) {
      const labels = [...key.matchAll(/(\w+)="/g)].map((match) => match[1]!).filter((label) => label !== "le");
      const known: readonly string[] = METRICS[baseOf(/^\w+/.exec(key)![0])].labels;
      expect(
        labels.filter((label) => !known.includes(label)),
        key,
      ).toEqual([]);
    }
  });
});

/** Of a histogram's own series, the metric. */
function baseOf(name: string): keyof typeof METRICS {
  const base = name.replace(/_(bucket|sum|count)$/, "");
  return (name in METRICS ? name : base) as keyof typeof METRICS;
}

describe("the dashboard and the alerts", () => {
  const dashboard = JSON.parse(readFileSync(join(REPOSITORY, "docs/operations/dashboard.json"), "utf8")) as {
    readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  };
  const alertsPath = join(REPOSITORY, "docs/operations/alerts.yaml");
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const alerts = [...readFileSync(alertsPath, "utf8").matchAll(/^ +expr: (.+)$/gm)].map((match) => match[1]!);
  const namesIn = (query: string): string[] => [...query.matchAll(/\btidings_\w+/g)].map((match) => match[0]);

  it("[MET-7] ask for metrics and labels that there are; and each metric is on the dashboard", () => {
    for (const query of [...queries, ...alerts]) {
      const names = namesIn(query);
      expect(names.length, query).toBeGreaterThan(0);
      expect(
        names.filter((name) => !(baseOf(name) in METRICS)),
        query,
      ).toEqual([]);
      const known = new Set<string>(names.flatMap((name) => [...METRICS[baseOf(name)].labels, "le"]));
      const groups = [...query.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap((match) => match[1]!.split(/, */));
      const matchers = [...query.matchAll(/[{,](\w+)=~?"/g)].map((match) => match[1]!);
      expect(
        [...groups, ...matchers].filter((label) => !known.has(label)),
        query,
      ).toEqual([]);
    }
    expect(namesIn("rate(tidings_event_total[5m])").filter((name) => !(baseOf(name) in METRICS))).toHaveLength(1);
    const shown = new Set(queries.flatMap(namesIn).map(baseOf));
    expect(Object.keys(METRICS).filter((name) => !shown.has(name as keyof typeof METRICS))).toEqual([]);
  });

  it("[MET-7] and the guide names none that there is not", () => {
    const guide = readFileSync(join(REPOSITORY, "docs/operations/guide.md"), "utf8");
    expect(namesIn(guide).length).toBeGreaterThan(3);
    expect(namesIn(guide).filter((name) => !(baseOf(name) in METRICS))).toEqual([]);
    const known = new Set([...readFileSync(alertsPath, "utf8").matchAll(/alert: (\w+)/g)].map((match) => match[1]!));
    const named = [...guide.matchAll(/\bTidings[A-Z]\w+/g)].map((match) => match[0]);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it.skipIf(PROMTOOL === null)("[MET-8] are rules and queries that promtool reads", () => {
    execFileSync(PROMTOOL!, ["check", "rules", alertsPath]);
    const folder = mkdtempSync(join(tmpdir(), "tidings-rules-"));
    const rules = queries.map((query, index) => {
      const expr = query.replaceAll("$__rate_interval", "5m").replaceAll("$app", ".*");
      return `      - { record: "panel:query:${index}", expr: ${JSON.stringify(expr)} }`;
    });
    const path = join(folder, "panels.yaml");
    writeFileSync(path, `groups:\n  - name: panels\n    rules:\n${rules.join("\n")}\n`);
    const { status, stdout, stderr } = spawnSync(PROMTOOL!, ["check", "rules", path], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
  });
});
