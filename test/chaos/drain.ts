/** The end of a run: nothing new comes, and everything that was owed has to arrive. */
import { pause } from "../harness/wait.ts";
import { linesOf, type HistoryLog } from "./history.ts";
import type { Workload } from "./world.ts";

const LOOK_AGAIN_MS = 500;
/** Who waits is told of every so-manieth look. */
const LOOKS_SAID = 10;

/** From the last fault on; `withinMs` counts from now. Writes down how it ended. */
export async function drain(
  workloads: readonly Workload[],
  history: HistoryLog,
  withinMs: number,
  say: (what: string) => void = () => undefined,
): Promise<void> {
  const at = linesOf(history.lines, "fault").at(-1)?.until ?? Date.now();
  const deadline = Date.now() + withinMs;
  for (let look = 1; ; look += 1) {
    const missing = await missingIn(workloads);
    const now = Date.now();
    if (missing.length === 0) return history.add({ op: "drain", at, until: now, missing: [] });
    if (now > deadline) return history.add({ op: "drain", at, until: null, missing });
    if (look % LOOKS_SAID === 0) say(`missing: ${missing.join("; ")}`);
    await pause(LOOK_AGAIN_MS);
  }
}

/** What the workloads miss, in words. */
export async function missingIn(workloads: readonly Workload[]): Promise<readonly string[]> {
  const all: string[] = [];
  for (const workload of workloads)
    all.push(...(await workload.missing().catch((error: Error) => [`the hub could not be asked: ${error.message}`])));
  return all;
}
