/**
 * `npm run bench`: the hub against a bare Worker with a bare object, in the same run and with the same client, so that
 * every figure is a ratio (docs/benchmarks.md). Prints a table and keeps the samples in bench/results/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { measureInTurns, type Kinds, type Measure, type Measured } from "./compare.ts";
import { figuresOf, type Figure } from "./figures.ts";
import { depth } from "./measures/depth.ts";
import { fanOut, fanOutTree, stalledReaders } from "./measures/fan-out.ts";
import {
  authentication,
  contracts,
  publishMany,
  publishManyAgainstTable,
  publishManyNamed,
  publishOne,
  publishOneAgainstTable,
} from "./measures/publish.ts";
import { read } from "./measures/read.ts";
import { rows } from "./measures/rows.ts";
import { webhook, webhookAgainstSix, webhookBatch, webhookRows } from "./measures/webhook.ts";
import { summarize } from "./numbers.ts";
import { isChosen, parseOptions, type Options } from "./options.ts";
import { FULL, QUICK, type Sizes } from "./sizes.ts";
import { formatFigures, formatMiss } from "./table.ts";

const options = parseOptions(process.argv.slice(2));
const sizes = options.isQuick ? QUICK : FULL;

const MEASURES: readonly Measure[] = [
  publishOne,
  publishOneAgainstTable,
  publishMany,
  publishManyAgainstTable,
  publishManyNamed,
  authentication,
  contracts,
  fanOut(100),
  fanOut(1_000),
  fanOutTree(1_000),
  stalledReaders(200),
  read,
  webhook,
  webhookAgainstSix,
  webhookBatch,
  webhookRows,
  depth(sizes),
  rows,
];

const kinds: Kinds = { subject: options.isControl ? "bare" : "hub", baseline: "bare" };
const chosen = MEASURES.filter(({ name }) => isChosen(name, options.only)).filter(
  ({ isHubOnly }) => isHubOnly !== true || !options.isControl,
);
if (chosen.length === 0) throw new Error(`no such measure; there are ${MEASURES.map(({ name }) => name).join(", ")}`);

const startedAt = new Date();
const figures: Figure[] = [];
const samples: Record<string, Measured> = {};
const failures: string[] = [];
for (const measure of chosen) {
  const measureStartedAt = performance.now();
  process.stdout.write(`${measure.name}: ${measure.says} … `);
  try {
    const measured = await measureInTurns(measure, sizes, kinds);
    samples[measure.name] = measured;
    const judged = figuresOf(measure.name, measured.pairs);
    figures.push(...(options.isControl ? judged.map(unjudged) : judged), memoryFigure(measure.name, measured));
    process.stdout.write(`${((performance.now() - measureStartedAt) / 1_000).toFixed(0)} s\n`);
  } catch (error) {
    failures.push(measure.name);
    process.stdout.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

console.log(`\n${formatFigures(figures)}\n`);
for (const line of verdict()) console.log(line);
console.log(`Samples: ${writeResults(options, sizes)}`);
if (failures.length > 0 || (options.isStrict && figures.some(({ met }) => met === false))) process.exitCode = 1;

function memoryFigure(measure: string, { memoryMb }: Measured): Figure {
  const { subject, baseline } = memoryMb;
  return {
    measure,
    name: "memory MB",
    subject: summarize([subject]),
    target: null,
    met: null,
    baseline: baseline === null ? null : summarize([baseline]),
    ratio: baseline === null ? null : summarize([subject / baseline]),
  };
}

function unjudged(figure: Figure): Figure {
  return { ...figure, target: null, met: null };
}

function verdict(): string[] {
  const judged = figures.filter(({ met }) => met !== null);
  const missed = judged.filter(({ met }) => met === false).map(formatMiss);
  const lines = [];
  if (options.isControl) lines.push("Control run: the baseline against itself. A ratio other than 1 is noise.");
  else lines.push(`Targets: ${judged.length - missed.length} of ${judged.length} met.`);
  if (!options.isControl && missed.length > 0) lines.push(`MISSED: ${missed.join(", ")}.`);
  if (options.isQuick) lines.push("A quick run: small samples, so take its verdicts as a hint.");
  if (failures.length > 0) lines.push(`NOT MEASURED: ${failures.join(", ")}.`);
  return lines;
}

function writeResults(given: Options, used: Sizes): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${startedAt.toISOString().replaceAll(":", "-")}.json`);
  const { version: node, platform, arch } = process;
  const machine = { cores: availableParallelism(), node, platform, arch };
  const kept = { startedAt, machine, options: given, sizes: used, figures, failures, samples };
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
  return path;
}
