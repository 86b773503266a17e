/**
 * `npm test`: every test in Node and in the runtime, with what is left out said aloud. Ends with one line of counts.
 * Arguments go on to vitest: `npm test -- test/core`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium } from "./lib/chromium.ts";
import { findPromtool } from "./lib/promtool.ts";
import { formatSummary, type VitestReport } from "./lib/test-summary.ts";
import { exitOf, OFFLINE, REPOSITORY } from "./lib/wrangler.ts";

const VITEST = join(REPOSITORY, "node_modules", "vitest", "vitest.mjs");

const omissions = [
  ...(findChromium(process.env) === null
    ? ["The page's tests are skipped: no Chromium on PATH (apt-get install chromium, or set CHROMIUM_PATH)."]
    : []),
  ...(findPromtool(process.env) === null
    ? ["Metrics, alerts and the dashboard's queries are not judged: no promtool on PATH (apt-get install prometheus)."]
    : []),
  ...(process.platform === "linux" ? [] : ["The crash test is skipped: it finds whole process trees in /proc."]),
];

const folder = mkdtempSync(join(tmpdir(), "tidings-test-"));
const reportPath = join(folder, "report.json");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
const vitest = spawn(process.execPath, [VITEST, "run", ...reporters, ...process.argv.slice(2)], {
  cwd: REPOSITORY,
  stdio: "inherit",
  env: { ...process.env, ...OFFLINE, WRANGLER_SEND_METRICS: "false" },
});
const code = await exitOf(vitest);
const summary = readSummary(reportPath);
rmSync(folder, { recursive: true, force: true });

for (const omission of omissions) console.log(omission);
console.log(summary);
process.exit(code);

function readSummary(path: string): string {
  try {
    return formatSummary(JSON.parse(readFileSync(path, "utf8")) as VitestReport);
  } catch {
    return "0 passed, 1 failed"; // vitest ended before it could count.
  }
}
