/**
 * `npm run bench`: the hub against a bare Worker with a bare object, or with `--peers` against what a user would pick
 * instead; in the same run and with the same client, so that every figure is a ratio (docs/benchmarks.md). Prints a
 * table and keeps the samples in bench/results/.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { measureInTurns, type Kinds, type Measure, type Measured } from "./compare.ts";
import { writeDocs } from "./docs.ts";
import { figuresOf, type Figure } from "./figures.ts";
import { hubMeasures } from "./hub-measures.ts";
import { summarize } from "./numbers.ts";
import { isChosen, parseOptions, type Options } from "./options.ts";
import { PEER_MEASURES } from "./peers/measures.ts";
import { FULL, QUICK, type Sizes } from "./sizes.ts";
import { formatFigures, formatMiss } from "./table.ts";

const options = parseOptions(process.argv.slice(2));
const sizes = options.isQuick ? QUICK : FULL;
const kinds: Kinds = { subject: options.isControl ? "bare" : "hub", baseline: "bare" };
const measures = options.isAgainstPeers ? PEER_MEASURES : hubMeasures(sizes);
const chosen = measures
  .filter(({ name }) => isChosen(name, options.only))
  .filter(({ isHubOnly }) => isHubOnly !== true || !options.isControl);
if (chosen.length === 0) throw new Error(`no such measure; there are ${measures.map(({ name }) => name).join(", ")}`);

const startedAt = new Date();
const loadBefore = loadavg()[0]!;
const figures: Figure[] = [];
const samples: Record<string, Measured> = {};
const failures: string[] = [];
const skipped: string[] = [];
for (const measure of chosen) {
  process.stdout.write(`${measure.name}: ${measure.says} … `);
  process.stdout.write(`${await take(measure)}\n`);
}

console.log(`\n${formatFigures(figures)}\n`);
for (const line of verdict()) console.log(line);
console.log(`Samples: ${writeResults(options, sizes)}`);
if (options.writesDocs) writeDocs(options.isAgainstPeers ? "peers" : "yardsticks", figures, runFacts());
if (failures.length > 0 || (options.isStrict && figures.some(({ met }) => met === false))) process.exitCode = 1;

/** Keeps the measure's figures, or notes why there are none. Answers what came of it, for the one who watches. */
async function take(measure: Measure): Promise<string> {
  const absence = measure.absence?.() ?? null;
  if (absence !== null) {
    skipped.push(`${measure.name} (${absence})`);
    return `skipped: ${absence}`;
  }
  const measureStartedAt = performance.now();
  try {
    const measured = await measureInTurns(measure, sizes, kinds);
    samples[measure.name] = measured;
    const judged = figuresOf(measure.name, measured.pairs);
    figures.push(...(options.isControl ? judged.map(unjudged) : judged), memoryFigure(measure.name, measured));
    return `${((performance.now() - measureStartedAt) / 1_000).toFixed(0)} s`;
  } catch (error) {
    failures.push(measure.name);
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

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
  if (skipped.length > 0) lines.push(`SKIPPED: ${skipped.join(", ")}.`);
  if (failures.length > 0) lines.push(`NOT MEASURED: ${failures.join(", ")}.`);
  return lines;
}

function runFacts() {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" });
  return {
    startedAt,
    minutes: (Date.now() - startedAt.getTime()) / 60_000,
    isQuick: options.isQuick,
    pairs: sizes.pairs,
    cores: availableParallelism(),
    node: process.versions.node,
    commit: commit.trim(),
    loads: [loadBefore, loadavg()[0]!] as const,
    skipped: [...skipped, ...failures],
  };
}

function writeResults(given: Options, used: Sizes): string {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${startedAt.toISOString().replaceAll(":", "-")}.json`);
  const { version: node, platform, arch } = process;
  const machine = { cores: availableParallelism(), node, platform, arch };
  const kept = { startedAt, machine, options: given, sizes: used, figures, skipped, failures, samples };
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
  return path;
}
