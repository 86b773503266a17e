/** The faulty hub in processes of its own, so that the whole tree can be killed: the child's side. */
import { startHub } from "../../harness/hub.ts";
import { pause } from "../../harness/wait.ts";
import type { Asked, HubChildOptions, Told } from "./hub-tree.ts";

const EVICTED_WITHIN_MS = 2_000;
const LOOK_AT_LOGS_MS = 500;

const options = JSON.parse(process.argv[2]!) as HubChildOptions;
const hub = await startHub(options);
const tell = (message: Told): void => void process.send!(message);

/** A database that fails is none of its own. */
const isMistake = ({ stage, error }: Record<string, unknown>): boolean =>
  stage === "request.failed" && !String(error).includes("D1_ERROR");

/** Those that sleep already are not there to be evicted, and those that have too much to do stay. */
async function evictAll(className: string): Promise<void> {
  const ids = await hub.objectIds(className);
  const evicted = ids.map((id) => hub.evict(className, { id }).catch(() => undefined));
  await Promise.race([Promise.all(evicted), pause(EVICTED_WITHIN_MS)]);
}

process.on("message", async ({ ask, number }: Asked) => {
  try {
    if (ask.kind === "kill-runtime") await hub.killRuntime();
    else if (ask.kind === "evict") await evictAll(ask.className);
    else await hub.runCron();
    tell({ kind: "done", number, runtimePid: hub.runtimePid, error: null });
  } catch (error) {
    tell({ kind: "done", number, runtimePid: hub.runtimePid, error: String(error) });
  }
});
// What the hub blames itself for is told; all else would fill the memory of a long run.
setInterval(() => {
  const lines = (hub.logs as Record<string, unknown>[]).splice(0);
  for (const line of lines) if (isMistake(line)) console.log(JSON.stringify(line));
}, LOOK_AT_LOGS_MS);
// Whoever started it is gone, and so is all reason to go on.
process.on("disconnect", () => void hub.close().finally(() => process.exit(0)));

tell({ kind: "ready", runtimePid: hub.runtimePid });
