/** How far replays may look, and when they are over. All in the transactions of their callers. */
import { UNTIMED, type Job } from "./job-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** All of it at once; or, with a rate, what one second lets go of one of its sources. */
export function grantMore(ledger: Ledger, job: Job, now: number): void {
  const unfinished = ledger.replays.unfinished(job.id);
  const granted = job.ratePerSecond === null ? unfinished : unfinished.slice(0, 1);
  for (const { id, examined, until } of granted)
    ledger.replays.grant(id, Math.min(until, examined + (job.ratePerSecond ?? Infinity)));
  ledger.jobs.progress(job, { done: job.done, after: now, nextAt: UNTIMED });
}

/** Called when a source has been examined further: at the end of what it may look at, more is granted or it is over. */
export function noteReplayed(ledger: Ledger, { id, granted }: Source, now: number): void {
  const replay = granted === null ? null : ledger.replays.get(id);
  if (replay === null || replay.examined < granted!) return;
  if (replay.examined >= replay.until) return endReplay(ledger, id, replay.job, now);
  const job = ledger.jobs.get(replay.job)!;
  ledger.jobs.defer(job.id, Math.max(now, job.after + 1_000));
}

/** A source of a replay has come to its end, or its log has. The job ends with the last of them. */
export function endReplay(ledger: Ledger, source: number, jobId: number, now: number): void {
  if (ledger.sources.get(source)!.state === "replaying") ledger.sources.setState(source, "past");
  if (ledger.replays.unfinished(jobId).length === 0) return ledger.jobs.end(jobId, "done", now);
  const job = ledger.jobs.get(jobId)!;
  if (job.ratePerSecond !== null) ledger.jobs.defer(jobId, Math.max(now, job.after + 1_000));
}

/** By the rows of a replay another one that was sent at once finds out that it came second. */
const FOUND_FOR_MS = 600_000;

/** Rows of replays that are long over, and owe nothing, go. Their counts stay. */
export function foldReplays(ledger: Ledger, now: number): void {
  const { replays, dispatches } = ledger;
  const over = replays.over(now - FOUND_FOR_MS);
  if (over.length === 0) return;
  const held = new Set(
    dispatches
      .all()
      .flatMap(({ deliveries, delivered }) => [
        ...deliveries.map(([source]) => source),
        ...Object.keys(delivered).map(Number),
      ]),
  );
  for (const id of over) if (!held.has(id)) replays.fold(id);
}
