/**
 * One batch: its jobs, what became of them, and what it tells of itself. The door only: what a step does stands in
 * core/job-batch-step.ts, rows in batch-record.ts, publishing in batch-runner.ts.
 */
import { DurableObject } from "cloudflare:workers";
import {
  isCancelled,
  isOver,
  type BatchDefinition,
  type BatchJob,
  type BatchJobReport,
  type BatchJobState,
  type BatchReport,
  type NewBatchJob,
} from "../../core/job-batch.ts";
import { parseObjectName } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { batch } from "../../stubs.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { BatchRpc } from "../rpc/batch.ts";
import { BatchRecord } from "./batch-record.ts";
import { BatchRunner } from "./batch-runner.ts";

export class Batch extends DurableObject<Env> implements BatchRpc {
  readonly #record: BatchRecord;
  readonly #runner: BatchRunner;
  readonly #gate: WorkerGateRpc;
  /** When the alarm is set for; null: not set, or not known since the last wake, which costs one setting too many. */
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const name = parseObjectName(ctx.id.name);
    if (name.kind !== "batch") throw new Error(`a batch cannot be named ${ctx.id.name}`);
    this.#record = new BatchRecord(ctx.storage, name.app);
    this.#gate = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports.WorkerGate;
    this.#runner = new BatchRunner(this.#record, env, () => this.#gate);
  }

  async create(definition: BatchDefinition, jobs: readonly NewBatchJob[]): Promise<Result<BatchReport>> {
    this.#record.create(definition, jobs, Date.now());
    return this.#moved();
  }

  async beginRun(definition: BatchDefinition, jobs: readonly NewBatchJob[], run: number): Promise<void> {
    this.#record.beginRun(definition, jobs, run, Date.now());
    this.#moved();
  }

  async add(jobs: readonly NewBatchJob[], request: string | null): Promise<Result<BatchReport>> {
    if (this.#record.definition === null) return fail("batch_not_found");
    const added = this.#record.add(jobs, request, Date.now());
    return added.ok ? this.#moved() : added;
  }

  async settle(reports: readonly BatchJobReport[]): Promise<void> {
    this.#record.settle(reports, Date.now());
    this.#moved();
  }

  async endJob(index: number, outcome: "completed" | "failed", reason: string | null): Promise<Result<BatchJob>> {
    if (this.#record.definition === null) return fail("batch_not_found");
    const ended = this.#record.endJob(index, outcome, reason, Date.now());
    this.#moved();
    return ended;
  }

  async mayStart(): Promise<boolean> {
    return this.#record.definition === null || !isCancelled(this.#record.progress);
  }

  async cancel(): Promise<Result<BatchReport>> {
    const { definition } = this.#record;
    if (definition === null) return fail("batch_not_found");
    this.#record.beginCancel();
    this.#moved();
    if (this.#record.progress.state === "cancelling") await this.#runner.tellCancelled(definition);
    return this.#moved();
  }

  async retry(): Promise<Result<BatchReport>> {
    if (this.#record.definition === null) return fail("batch_not_found");
    if (this.#record.definition.parent !== undefined)
      return fail("batch_over", "It is a job of another batch: retry that one.");
    const retried = this.#record.retry(Date.now());
    return retried.ok ? this.#moved() : retried;
  }

  async report(): Promise<Result<BatchReport>> {
    const { definition } = this.#record;
    return definition === null ? fail("batch_not_found") : ok({ definition, progress: this.#record.progress });
  }

  async jobs(state: BatchJobState | null, after: number, limit: number): Promise<Result<readonly BatchJob[]>> {
    if (this.#record.definition === null) return fail("batch_not_found");
    return ok(this.#record.jobs.list(state, after, limit));
  }

  /** Goes on with what nobody did, and ends what has stood for too long. Never throws. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      if (await this.#endsNow(Date.now())) return;
      this.#moved();
    } catch (error) {
      logStage("batch.alarm_failed", { batch: this.#record.definition?.id ?? null, error: String(error) });
      this.#setAlarm(Date.now() + LIMITS.TELL_AGAIN_MS);
    }
  }

  /** Whether there is nothing more to do. */
  async #endsNow(now: number): Promise<boolean> {
    const { definition } = this.#record;
    if (definition === null) return true;
    if (this.#record.owes || this.#standsUntil() > now) return false;
    if (!isOver(this.#record.progress)) {
      this.#record.lapse(now);
      return false;
    }
    if (await this.#isKeptBy(definition)) {
      this.#setAlarm(now + LIMITS.BATCH_KEEP_MS);
      return true;
    }
    await this.#gate.listBatch(definition.app, definition.id, null);
    await this.#record.drop();
    return true;
  }

  /** One that is inside another stays as long as that one: it may be tried again. */
  async #isKeptBy({ app, parent }: BatchDefinition): Promise<boolean> {
    return parent !== undefined && (await batch(this.env, app, parent.id).report()).ok;
  }

  /** How long it may stand as it is, milliseconds. */
  #standsUntil(): number {
    const { endedAt } = this.#record.progress;
    if (endedAt !== null) return endedAt + LIMITS.BATCH_KEEP_MS;
    return this.#record.meta.read("movedAt")! + LIMITS.BATCH_IDLE_MS_MAX;
  }

  /** Does what is owed beside the answer; the alarm stands meanwhile. */
  #moved(): Result<BatchReport> {
    const { definition } = this.#record;
    if (definition === null) return fail("batch_not_found");
    this.ctx.waitUntil(this.#runner.run().then(() => this.#arrange()));
    this.#arrange();
    return ok({ definition, progress: this.#record.progress });
  }

  #arrange(): void {
    if (this.#record.definition === null) return;
    this.#setAlarm(this.#record.owes ? Date.now() + LIMITS.TELL_AGAIN_MS : this.#standsUntil());
  }

  /** Never puts off an alarm that stands sooner: it looks, finds nothing, and stands anew. */
  #setAlarm(at: number): void {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }
}
