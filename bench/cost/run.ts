/**
 * `npm run cost`: counts what the platform would bill for, on the hub as it ships in the local runtime, and prints what a
 * million events cost (docs/cost.md). Exit code 1 when a count is over its committed figure (bench/cost/limits.ts).
 */
import { formatTable } from "../table.ts";
import { excesses } from "./limits.ts";
import { dollarsOf, UNIT_NAMES, type Units } from "./units.ts";
import { countUnits, WORKLOADS, type Size } from "./workloads.ts";

/** Long enough for every alarm that follows on an event within seconds. */
const SIZE: Size = { events: 300, quietMs: 6_500 };

/** They mostly wait, and each has a runtime of its own. */
const AT_ONCE = 2;

const HEADINGS = ["workload", "per", ...UNIT_NAMES.map(spelled), "$ a million"];

const rows: string[][] = [];
const complaints: string[] = [];
for (let first = 0; first < WORKLOADS.length; first += AT_ONCE) {
  const few = WORKLOADS.slice(first, first + AT_ONCE);
  const counted = await Promise.all(few.map((workload) => countUnits(workload, SIZE)));
  for (const [index, { name, says, per }] of few.entries()) {
    const units = counted[index]!;
    rows.push([name, per, ...UNIT_NAMES.map((unit) => formatCount(units[unit])), dollarsOfMillion(units)]);
    complaints.push(...excesses(name, units));
    console.log(`${name}: ${says}`);
  }
}
console.log(`\n${formatTable([HEADINGS, ...rows])}\n`);
for (const complaint of complaints) console.log(`OVER: ${complaint}.`);
if (complaints.length === 0) console.log("No count is over its committed figure.");
process.exit(complaints.length === 0 ? 0 : 1);

function dollarsOfMillion(units: Units): string {
  return (dollarsOf(units) * 1_000_000).toFixed(3);
}

function formatCount(count: number): string {
  return count === 0 ? "0" : count.toFixed(count < 0.1 ? 4 : 2);
}

function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
