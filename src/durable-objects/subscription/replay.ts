/**
 * Replays: a range of the logs comes to the subscription once more, as a job beside live delivery. Each partition of it
 * is a source of its own, which the pump examines after those that follow the logs: its deliveries have their own ids,
 * and the books hold without a word about replays.
 */
import { jobKey } from "../../core/job.ts";
import type { LifeRange, ReplayAnswer, ReplayAsk } from "../../core/replay.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { countChosen } from "./dead-letters.ts";
import { beginJob } from "./jobs.ts";
import type { NewJob } from "./job-store.ts";
import type { Ledger } from "./ledger.ts";
import { chooseSources, findPlaces } from "./log-places.ts";
import { foldReplays, grantMore } from "./replay-progress.ts";
import type { ReplaySource } from "./replay-store.ts";

/**
 * With `dryRun` the same answer without the job. Failures: those of `chooseSources`, `topic_not_found`,
 * `replay_under_way`, `replay_unknown`, `too_many_jobs`.
 */
export async function replay(ledger: Ledger, env: Env, ask: ReplayAsk): Promise<Result<ReplayAnswer>> {
  const lastJob = ask.lastJob ?? ledger.jobs.lastNumber();
  const found = await findRanges(ledger, env, ask);
  if (!found.ok) return found;
  const ranges = found.value;
  const letters = ask.mode === "failed" ? await countChosen(ledger, { kind: "ranges", ranges, filter: ask.filter }) : 0;
  return ledger.storage.transactionSync(() => {
    if (ledger.definition === null) return fail("subscription_not_found");
    const refused = ask.mode === "failed" ? null : refusalOf(ledger, ranges, ask, lastJob);
    if (refused !== null) return refused;
    const matched =
      ask.mode === "failed" ? letters : ranges.reduce((sum, range) => sum + countIn(ledger, range, ask), 0);
    const partitions = ranges.map(({ topic, partition, after, through }) => {
      return { topic, partition, from: after + 1, to: through + 1 };
    });
    if (ask.dryRun || matched === 0) return ok({ matched, job: null, partitions, lastJob: ledger.jobs.lastNumber() });
    const begun = begin(ledger, ranges, ask, matched);
    return begun.ok ? ok({ matched, job: begun.value, partitions, lastJob: ledger.jobs.lastNumber() }) : begun;
  });
}

/** What of each log lies between the two positions and was examined: all else comes by itself. None is empty. */
async function findRanges(ledger: Ledger, env: Env, { from, to, ...which }: ReplayAsk): Promise<Result<LifeRange[]>> {
  const chosen = chooseSources(ledger, [from, to], which);
  if (!chosen.ok) return chosen;
  const [begins, ends] = await Promise.all([
    findPlaces(ledger, env, chosen.value, from),
    findPlaces(ledger, env, chosen.value, to),
  ]);
  if (!begins.ok) return begins;
  if (!ends.ok) return ends;
  const ranges = chosen.value.map(({ topic, partition, epoch }, index): LifeRange => {
    // A seek may have come while the logs were asked.
    const examined = ledger.sources.find({ topic, partition, epoch })?.examined ?? 0;
    const through = Math.min(ends.value[index]!.after, examined);
    return { topic, partition, epoch, after: begins.value[index]!.after, through };
  });
  return ok(ranges.filter(({ after, through }) => after < through));
}

const countIn = (ledger: Ledger, { after, through, ...life }: LifeRange, { mode }: ReplayAsk): number =>
  mode === "missing" ? ledger.passedOver.count(life, { first: after + 1, last: through }) : through - after;

/** Two that were sent at once deliver nothing twice: the second is refused, by whatever of the first can be seen. */
function refusalOf(
  ledger: Ledger,
  ranges: readonly LifeRange[],
  { mode }: ReplayAsk,
  lastJob: number,
): Result<never> | null {
  const isUnderWay = ({ id, job, state }: ReplaySource): boolean =>
    job > lastJob || state === "replaying" || owesFrom(ledger, id);
  for (const range of ranges) {
    if (ledger.replays.overlapping(range).some(isUnderWay)) return fail("replay_under_way");
    const known = ledger.replays.knownSince(range);
    if (mode === "missing" && range.after + 1 < known) {
      const { topic, partition } = range;
      return fail("replay_unknown", `Of ${topic}, partition ${partition}, it is known from offset ${known} on.`);
    }
  }
  return null;
}

function owesFrom({ retries, waiting, dispatches }: Ledger, source: number): boolean {
  if (retries.hasSource(source) || waiting.hasSource(source)) return true;
  return dispatches.all().some(({ deliveries }) => deliveries.some(([other]) => other === source));
}

/** Answers the job's id. */
function begin(
  ledger: Ledger,
  ranges: readonly LifeRange[],
  { mode, filter, ratePerSecond }: ReplayAsk,
  matched: number,
): Result<string> {
  const now = Date.now();
  const isRedrive = mode === "failed";
  const spec: NewJob["spec"] = isRedrive
    ? { kind: "replay", mode, choice: { kind: "ranges", ranges, filter } }
    : { kind: "replay", mode, filter };
  const until = isRedrive ? ledger.deadLetters.lastSeq() : 0;
  const job = beginJob(ledger, { spec, matched, until, ratePerSecond, createdAt: now });
  if (!job.ok) return job;
  if (!isRedrive) {
    foldReplays(ledger, now);
    for (const range of ranges) ledger.replays.begin(range, job.value.id);
    grantMore(ledger, job.value, now);
  }
  return ok(jobKey(ledger.subscriptionId, job.value.id));
}
