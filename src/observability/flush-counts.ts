/**
 * Takes the isolate's counts to where they are kept: to one object of a few, so that none is hot. No timer waits for
 * it, so nothing is kept awake: whoever counts next takes along what lies there, at most once in `METRICS_FLUSH_MS`.
 */
import { LIMITS } from "../core/limits.ts";
import type { Env } from "../env.ts";
import { metricTally } from "../stubs.ts";
import { logStage } from "./log.ts";
import { putBack, takeCounts } from "./meter.ts";

let flushedAt = 0;
let shard: number | null = null;

/** Never rejects; beside the answer, in `waitUntil`. */
export async function flushCountsWhenDue(env: Env, now: number): Promise<void> {
  if (now - flushedAt >= LIMITS.METRICS_FLUSH_MS) await flushCounts(env, now);
}

export async function flushCounts(env: Env, now: number): Promise<void> {
  flushedAt = now;
  const taken = takeCounts();
  if (taken.length === 0) return;
  shard ??= Math.floor(Math.random() * LIMITS.METRICS_SHARDS);
  try {
    await metricTally(env, shard).add(taken);
  } catch (error) {
    // It may have been added: a count that comes twice is the smaller harm than one that never comes.
    putBack(taken);
    logStage("metrics.unflushed", { error: String(error) });
  }
}
