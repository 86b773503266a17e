/** `npm run chaos -- --minutes N --seed S`: breaks a hub for N minutes in every way it knows, and says what came of it. */
import { parseArgs } from "node:util";
import { runChaos } from "./chaos-run.ts";
import { PLANT_NAMES, type PlantName } from "./plants/plants.ts";
import { figuresOf, formatTable, judge } from "./verdict.ts";
import { LEAN_PACE, LONG_PACE } from "./paces.ts";

const USAGE = `npm run chaos -- [--minutes N] [--seed S] [--history FILE] [--plant NAME]

  --minutes  how long faults go on (1)
  --seed     the whole schedule hangs on it (drawn, and printed)
  --history  a file for what happened, a JSON line each
  --plant    a bug to plant: ${PLANT_NAMES.join(", ")}`;

const DRAIN_WITHIN_MS = 60_000;
const RECOVERY_P95_MS = 5_000;
const COMPLAINTS_SHOWN = 10;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.trunc(Math.random() * 1_000_000)) },
    history: { type: "string" },
    plant: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const planted = (values.plant ?? null) as PlantName | null;
const isKnown = planted === null || PLANT_NAMES.includes(planted);
if (values.help || !(minutes > 0) || !Number.isSafeInteger(seed) || !isKnown) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

console.log(`seed ${seed}`);
const startedAt = Date.now();
const history = await runChaos({
  seed,
  until: { runsMs: minutes * 60_000 },
  pace: minutes < 2 ? LEAN_PACE : LONG_PACE,
  drainWithinMs: DRAIN_WITHIN_MS,
  planted,
  historyPath: values.history ?? null,
  say: (what) => console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${what}`),
});
const verdict = judge(history);
for (const [checker, complaints] of verdict) {
  console.log(`\n${checker}: ${complaints.length}`);
  for (const complaint of complaints.slice(0, COMPLAINTS_SHOWN)) console.log(`  ${complaint}`);
}
console.log(`\n${formatTable(history, verdict)}`);
const { recoveryP95Ms } = figuresOf(history);
const isSlow = recoveryP95Ms !== null && recoveryP95Ms > RECOVERY_P95_MS;
if (isSlow) console.log(`The hub was back too late: p95 ${recoveryP95Ms} ms, and not ${RECOVERY_P95_MS}.`);
process.exit(verdict.size > 0 || isSlow ? 1 : 0);
