/**
 * Works through the ledger's jobs: a slice of each in turn, and between two slices whatever waits at the door. What it
 * has done stands in the job's row in the same transaction, and the row is due again before long: if the object is
 * thrown out of memory, or killed, the alarm finds it and goes on.
 */
import { LIMITS } from "../../core/limits.ts";
import { logStage } from "../../observability/log.ts";
import { chooseSlice, moveLetters, SLICE_LETTERS } from "./dead-letters.ts";
import type { Job } from "./job-store.ts";
import type { Ledger } from "./ledger.ts";
import { grantMore } from "./replay-progress.ts";

export class JobRunner {
  readonly #ledger: Ledger;
  readonly #moved: () => void;
  #running: Promise<void> | null = null;

  /** `moved`: a slice has made work for the ledger's pump, or set a time for its alarm. */
  constructor(ledger: Ledger, moved: () => void) {
    this.#ledger = ledger;
    this.#moved = moved;
  }

  /** Resolves when nothing is due any more; never rejects. The first slice is done before it returns. */
  run(): Promise<void> {
    this.#running ??= this.#runWhileDue().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #runWhileDue(): Promise<void> {
    let going = this.#due([]);
    while (going.length > 0) {
      const goOn: number[] = [];
      for (const id of going) {
        if (this.#runSlice(id)) goOn.push(id);
        this.#moved();
        await scheduler.wait(0);
      }
      going = this.#due(goOn);
    }
  }

  /** Those that go on, and those that have come since. */
  #due(goOn: readonly number[]): number[] {
    const due = this.#ledger.jobs.due(Date.now());
    return [...goOn, ...due.filter((id) => !goOn.includes(id))];
  }

  /** Answers whether the next slice may follow at once. */
  #runSlice(id: number): boolean {
    try {
      return this.#ledger.storage.transactionSync(() => runSlice(this.#ledger, id, Date.now()));
    } catch (error) {
      logStage("job.slice_failed", { subscription: this.#ledger.subscriptionId, job: id, error: String(error) });
      this.#ledger.jobs.defer(id, Date.now() + LIMITS.TELL_AGAIN_MS);
      return false;
    }
  }
}

/** One transaction: the letters and the job's place among them move together, so none is moved twice or missed. */
export function runSlice(ledger: Ledger, id: number, now: number): boolean {
  const job = ledger.jobs.get(id);
  if (job?.state !== "running") return false;
  if (job.spec.kind === "replay" && job.spec.mode !== "failed") {
    grantMore(ledger, job, now);
    return false;
  }
  const limit = Math.min(SLICE_LETTERS, job.ratePerSecond ?? SLICE_LETTERS);
  const { places, through, isLast } = chooseSlice(ledger, job.spec.choice, job, limit);
  moveLetters(ledger, job.spec.kind === "discard" ? "discard" : "redrive", places, now);
  const delayMs = delayAfter(job, places.length);
  const nextAt = now + (delayMs > 0 ? delayMs : LIMITS.TELL_AGAIN_MS);
  ledger.jobs.progress(job, { done: job.done + places.length, after: through, nextAt });
  if (isLast) ledger.jobs.end(id, "done", now);
  return !isLast && delayMs === 0;
}

const delayAfter = ({ ratePerSecond }: Job, moved: number): number =>
  ratePerSecond === null ? 0 : Math.ceil((moved * 1_000) / ratePerSecond);
