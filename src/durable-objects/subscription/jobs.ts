/** Repairs as operators ask for them: counted only, done at once where they are few, or begun as a job. */
import { jobKey } from "../../core/job.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { DeadLetterChoice } from "../../core/dead-letter.ts";
import type { ReplayMode } from "../../core/replay.ts";
import type { JobReport, RepairAnswer, RepairOptions } from "../../core/job.ts";
import { countChosen, repairDeadLetters, type RepairVerb } from "./dead-letters.ts";
import type { Job, NewJob } from "./job-store.ts";
import type { Ledger } from "./ledger.ts";

/** Fails with `too_many_jobs`. */
export async function repair(
  ledger: Ledger,
  verb: RepairVerb,
  choice: DeadLetterChoice,
  { dryRun, ratePerSecond }: RepairOptions,
): Promise<Result<RepairAnswer>> {
  const matched = await countChosen(ledger, choice);
  if (dryRun || matched === 0) return ok({ matched, job: null });
  const now = Date.now();
  if (ratePerSecond === null && matched <= LIMITS.REPAIR_DELIVERIES_MAX)
    return ok({ matched: await repairDeadLetters(ledger, verb, choice, now), job: null });
  const until = ledger.deadLetters.lastSeq();
  const begun = beginJob(ledger, { spec: { kind: verb, choice }, matched, until, ratePerSecond, createdAt: now });
  return begun.ok ? ok({ matched, job: jobKey(ledger.subscriptionId, begun.value.id) }) : begun;
}

export function beginJob(ledger: Ledger, job: NewJob): Result<Job> {
  const running = ledger.jobs.countRunning();
  const { SUBSCRIPTION_JOBS_MAX: limit } = LIMITS;
  if (running >= limit) return fail("too_many_jobs", undefined, { limit, actual: running });
  return ok(ledger.storage.transactionSync(() => ledger.jobs.insert(job)));
}

/** Fails with `job_not_found`. */
export function reportJob(ledger: Ledger, number: number): Result<JobReport> {
  const job = ledger.definition === null ? null : ledger.jobs.get(number);
  return job === null ? fail("job_not_found") : ok(reportOf(ledger, job));
}

/** What it has done stays done; one that has ended stays as it is. */
export function cancelJob(ledger: Ledger, number: number, now: number): Result<JobReport> {
  ledger.storage.transactionSync(() => endEarly(ledger, number, now));
  return reportJob(ledger, number);
}

/** In the caller's transaction. */
export function endEarly(ledger: Ledger, number: number, now: number): void {
  ledger.jobs.end(number, "cancelled", now);
  ledger.replays.stop(number);
}

/** Of what was missing the job counts itself what it has looked at; by force that is all of the range. */
function replayOf(ledger: Ledger, job: Job, mode: ReplayMode): Partial<Pick<JobReport, "done" | "replayed">> {
  if (mode === "failed") return {};
  const tally = ledger.replays.tally(job.id);
  const replayed = job.replayed + tally.replayed;
  return mode === "force" ? { done: job.done + tally.done, replayed } : { replayed };
}

function reportOf(ledger: Ledger, job: Job): JobReport {
  const { id, spec, state, matched, done, createdAt, endedAt } = job;
  return {
    id: jobKey(ledger.subscriptionId, id),
    kind: spec.kind,
    subscription: ledger.definition!.name,
    state,
    matched,
    done,
    ...(spec.kind === "replay" && replayOf(ledger, job, spec.mode)),
    createdAt: new Date(createdAt).toISOString(),
    ...(endedAt !== null && { endedAt: new Date(endedAt).toISOString() }),
  };
}
