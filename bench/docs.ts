/** The figures of a run in docs/benchmarks.md, each table between two markers of its own. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "./figures.ts";
import type { Summary } from "./numbers.ts";
import { PEERS, versionOf, type Peer } from "./peers/peers.ts";
import { formatNumber, formatSpread, formatTarget } from "./table.ts";

export const DOCS_PAGE = join(import.meta.dirname, "..", "docs", "benchmarks.md");

/** Which table: of the yardsticks, or of the peers. */
export type TableName = "yardsticks" | "peers";

/** Where and how a run took its figures. */
export interface RunFacts {
  readonly startedAt: Date;
  readonly minutes: number;
  /** Small samples. */
  readonly isQuick: boolean;
  /** Blocks of each side. */
  readonly pairs: number;
  readonly cores: number;
  readonly node: string;
  /** Abbreviated. */
  readonly commit: string;
  /** Load averages of the machine before the run and at its end: what is above a few was other work. */
  readonly loads: readonly [before: number, after: number];
  /** What could not be taken, and why. */
  readonly skipped: readonly string[];
}

export function writeDocs(table: TableName, figures: readonly Figure[], facts: RunFacts): void {
  const page = readFileSync(DOCS_PAGE, "utf8");
  const text = [describeRun(facts), ...(table === "peers" ? [formatPeers()] : []), formatRows(figures)].join("\n\n");
  writeFileSync(DOCS_PAGE, replaceTable(page, table, text));
}

/** A page without the markers is a mistake: nothing would be written. */
export function replaceTable(page: string, table: TableName, text: string): string {
  const [begin, end] = [`<!-- bench:${table} -->`, `<!-- /bench:${table} -->`];
  const [before, after] = [page.indexOf(begin), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`the page has no ${begin} … ${end}`);
  return `${page.slice(0, before + begin.length)}\n\n${text}\n\n${page.slice(after)}`;
}

function describeRun({ startedAt, minutes, isQuick, pairs, cores, node, commit, loads, skipped }: RunFacts): string {
  const day = startedAt.toISOString().slice(0, 10);
  const lines = [
    `A ${isQuick ? "quick" : "whole"} run on ${day}, in ${minutes.toFixed(0)} minutes, on commit ${commit}: ${pairs} blocks of each side, ${cores} cores,` +
      ` Node ${node}, load average ${loads[0].toFixed(1)} before and ${loads[1].toFixed(1)} after.`,
    ...(skipped.length === 0 ? [] : [`Not measured: ${skipped.join("; ")}.`]),
  ];
  return lines.join(" ");
}

function formatPeers(): string {
  const peers: readonly Peer[] = Object.values(PEERS);
  return formatMarkdown([
    ["peer", "version", "what an answer to its publisher means"],
    ...peers.map((peer) => [`\`${peer.kind}\`: ${peer.name}`, versionOf(peer), peer.durability]),
  ]);
}

/** Rates, medians and costs: the tails and the memory are printed, but their spread says more than they. */
function formatRows(figures: readonly Figure[]): string {
  return formatMarkdown([
    ["measure", "figure", "hub (low–high)", "other (low–high)", "ratio (low–high)", "target"],
    ...figures.filter(({ name }) => !/^(p99|memory)/.test(name)).map(rowOf),
  ]);
}

function rowOf({ measure, name, subject, baseline, ratio, target, met }: Figure): string[] {
  const verdict = met === null ? "" : met ? ", met" : ", **missed**";
  return [
    `\`${measure}\``,
    name,
    formatSummary(subject),
    baseline === null ? "–" : formatSummary(baseline),
    ratio === null ? "–" : `${ratio.median.toFixed(2)} ${formatSpread(ratio)}`,
    target === null ? "" : `${formatTarget(target)}${verdict}`,
  ];
}

const formatSummary = ({ median, low, high }: Summary): string =>
  `${formatNumber(median)} (${formatNumber(low)}–${formatNumber(high)})`;

function formatMarkdown(rows: readonly (readonly string[])[]): string {
  const [heading = [], ...rest] = rows.map((cells) => `| ${cells.join(" | ")} |`);
  return [heading, `|${" --- |".repeat(rows[0]!.length)}`, ...rest].join("\n");
}
