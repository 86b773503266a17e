/** Metrics as Prometheus reads them: its text format, version 0.0.4. */
import { DURATION_BUCKETS_SECONDS, METRICS, type Labels, type MetricName, type Sample } from "../../core/metrics.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * By name, each with its help; one without a sample is left out. Of a histogram come the buckets' own counts, by `le`
 * (`+Inf`: beyond the last), and the sum as `sum`.
 */
export function formatMetrics(samples: readonly Sample[]): string {
  const byName = Map.groupBy(samples, ({ name }) => name);
  const blocks = (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
    const found = byName.get(name);
    if (found === undefined) return [];
    const { type, help } = METRICS[name];
    const lines = type === "histogram" ? formatHistogram(name, found) : found.map((one) => formatSample(one.name, one));
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
  });
  return blocks.length === 0 ? "" : `${blocks.join("\n")}\n`;
}

const formatSample = (name: string, { labels, value }: Omit<Sample, "name">): string => {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${shown.length === 0 ? "" : `{${shown.join(",")}}`} ${formatValue(value)}`;
};

const formatValue = (value: number): string => (Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf");

const escapeLabel = (text: string): string =>
  text.replaceAll(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));

function formatHistogram(name: MetricName, samples: readonly Sample[]): string[] {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...rest } }) => JSON.stringify(rest));
  return [...series].flatMap(([key, parts]) => {
    const labels = JSON.parse(key) as Labels;
    const valueAt = (le: string): number => parts.find((part) => part.labels["le"] === le)?.value ?? 0;
    let count = 0;
    const buckets = [...DURATION_BUCKETS_SECONDS.map(String), "+Inf"].map((le) => {
      count += valueAt(le);
      return formatSample(`${name}_bucket`, { labels: { ...labels, le }, value: count });
    });
    const sum = formatSample(`${name}_sum`, { labels, value: valueAt("sum") });
    return [...buckets, sum, formatSample(`${name}_count`, { labels, value: count })];
  });
}
