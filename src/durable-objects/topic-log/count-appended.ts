import type { Env } from "../../env.ts";
import { flushCountsWhenDue } from "../../observability/flush-counts.ts";
import { count } from "../../observability/meter.ts";
import type { TailEvent } from "./tail.ts";

/** One commit, and what it holds. Resolves when the isolate's counts are kept, where they are due. */
export function countAppended(env: Env, app: string, events: readonly TailEvent[]): Promise<void> {
  count("tidings_log_commits_total", { app });
  count("tidings_events_appended_total", { app }, events.length);
  const chars = events.reduce((sum, { line }) => sum + line.length, 0);
  count("tidings_events_appended_bytes_total", { app }, chars);
  return flushCountsWhenDue(env, Date.now());
}
