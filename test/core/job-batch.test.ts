/**
 * Goal: whatever is reported, in whatever order and however often, a batch's counts are those of its jobs, and what it
 * tells is told as often as it should be.
 * Method: random batches and reports against rows kept beside, as the object keeps them.
 */
import { describe, expect, it } from "vitest";
import {
  batchId,
  isBatchId,
  isOver,
  jobAttributes,
  nestedBatchId,
  jobOfLine,
  percentOf,
  subscriptionOfBatch,
  type BatchJob,
  type BatchJobReport,
  type BatchJobState,
  type BatchProgress,
  type BatchRules,
} from "../../src/core/job-batch.ts";
import {
  addJobs,
  beginBatch,
  cancelBatch,
  dropJobs,
  endJob,
  outcomeIn,
  retryBatch,
  type BatchNews,
} from "../../src/core/job-batch-step.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

/** Jobs as rows and everything told, beside the batch itself. */
class Model {
  readonly rules: BatchRules;
  readonly jobs: BatchJob[] = [];
  readonly news: BatchNews[] = [];
  progress: BatchProgress;

  constructor(rules: BatchRules, count: number) {
    this.rules = rules;
    this.progress = beginBatch(count);
    this.#grow(count);
  }

  add(count: number): void {
    const added = addJobs(this.progress, count);
    expect(added.ok).toBe(this.progress.state === "running");
    if (!added.ok) return;
    this.progress = added.value;
    this.#grow(count);
  }

  report(report: BatchJobReport): void {
    const job = this.jobs[report.index]!;
    const step = endJob(this.rules, this.progress, job, report, 1);
    if (job.state !== "open" || job.run !== report.run) expect(step).toBeNull();
    if (step === null) return;
    this.jobs[report.index] = { ...job, state: outcomeIn(this.progress, report) };
    this.progress = step.progress;
    this.news.push(...step.news);
  }

  /** `isHeld`: of an open job, whether somebody works on it. */
  cancel(isHeld: () => boolean): void {
    this.progress = cancelBatch(this.progress);
    if (isOver(this.progress)) return;
    const dropped = this.jobs.filter(({ state }) => state === "open" && !isHeld());
    for (const job of dropped) this.jobs[job.index] = { ...job, state: "cancelled" };
    const step = dropJobs(this.rules, this.progress, dropped.length, 1);
    this.progress = step.progress;
    this.news.push(...step.news);
  }

  retry(): void {
    const retried = retryBatch(this.progress);
    if (!retried.ok) return;
    this.progress = retried.value;
    for (const job of this.jobs) {
      if (job.state === "failed") this.jobs[job.index] = { ...job, state: "open", run: job.run + 1 };
    }
  }

  count(state: BatchJobState): number {
    return this.jobs.filter((job) => job.state === state).length;
  }

  #grow(count: number): void {
    for (let more = 0; more < count; more += 1)
      this.jobs.push({ index: this.jobs.length, type: "t", state: "open", run: 1, reason: null, isBatch: false });
  }
}

const ROUNDS = 400;
const OUTCOMES = ["completed", "completed", "completed", "failed", "cancelled"] as const;

function checkNews({ news, progress, rules }: Model): void {
  const last = news.filter(({ round }) => round === progress.round);
  const told = (kind: BatchNews["kind"]): number => last.filter((one) => one.kind === kind).length;
  const end = Number(isOver(progress));
  expect(told("finally")).toBe(end);
  expect(told("then")).toBe(Number(progress.state === "finished"));
  expect(told("catch")).toBe(Number(progress.failed > 0));
  if (rules.mode === "chain" && !rules.allowFailures && progress.state === "running") expect(progress.failed).toBe(0);
  const steps = last.filter(({ kind }) => kind === "progress").map(({ counts }) => counts);
  for (const [at, step] of steps.entries()) {
    const before = steps[at - 1];
    if (before === undefined) continue;
    expect(step.completed + step.failed).toBe(before.completed + before.failed + 1);
    expect(step.completed >= before.completed && step.failed >= before.failed).toBe(true);
  }
}

describe("the steps of a batch", () => {
  it(`[BAT-2, BAT-5] count and tell what the rows say, over ${ROUNDS} random lives (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const states = new Set<string>();
    for (let life = 0; life < ROUNDS; life += 1) {
      const rules = { mode: pick(random, ["chain", "parallel"] as const), allowFailures: random() < 0.5 };
      const model = new Model(rules, 1 + Math.floor(random() * 6));
      for (let move = 0; move < 40; move += 1) {
        const chance = random();
        const job = pick(random, model.jobs);
        const run = random() < 0.8 ? job.run : job.run - 1;
        if (chance < 0.85) model.report({ index: job.index, run, outcome: pick(random, OUTCOMES), reason: null });
        else if (chance < 0.92) model.retry();
        else if (chance < 0.97) model.add(1);
        else model.cancel(() => random() < 0.3);
        const { progress } = model;
        const counts = { completed: model.count("completed"), failed: model.count("failed") };
        expect(progress).toMatchObject({ ...counts, cancelled: model.count("cancelled"), total: model.jobs.length });
        checkNews(model);
      }
      states.add(model.progress.state);
    }
    expect([...states].toSorted()).toEqual(["cancelled", "cancelling", "failed", "finished", "running"]);
  });

  it("[BAT-2] are over only when all is: 100 percent is told of nothing less", () => {
    expect(percentOf({ total: 1_000, completed: 998, failed: 1, cancelled: 0 })).toBe(99);
    expect(percentOf({ total: 1_000, completed: 999, failed: 1, cancelled: 0 })).toBe(100);
    expect(percentOf({ total: 3, completed: 1, failed: 0, cancelled: 2 })).toBe(33);
  });
});

describe("the name of a batch", () => {
  const moment = "0".repeat(31) + "1";

  it("[BAT-1] tells a ledger its own jobs, and is not made up by a payload", () => {
    const id = batchId(moment, "abc1");
    expect([isBatchId(id), subscriptionOfBatch(id)]).toEqual([true, "abc1"]);
    expect(subscriptionOfBatch(batchId(moment, null))).toBeNull();
    const [inside, beside] = [nestedBatchId(id, 1), nestedBatchId(id, 2)];
    expect([isBatchId(inside), subscriptionOfBatch(inside), inside === beside]).toEqual([true, "abc1", false]);
    const name = { batch: id, index: 7, run: 2 };
    expect(jobOfLine(`{"id":"1"${jobAttributes(name)}}`)).toEqual(name);
    expect(jobOfLine(`{"id":"1","data":{"a":1${jobAttributes(name)}}}`)).toBeNull();
    expect(jobOfLine(`{"id":"1","batchid":"batch_x","jobindex":1,"jobrun":1}`)).toBeNull();
    expect(jobOfLine(`{"id":"1"}`)).toBeNull();
  });
});
