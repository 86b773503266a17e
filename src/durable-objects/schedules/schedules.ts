/**
 * An app's schedules: one object for all of them, made with the first. It sleeps but for the instants at which
 * something is due. The door only: what is published, and what comes next, is decided in run-schedules.ts.
 */
import { DurableObject } from "cloudflare:workers";
import { nextOccurrence, type ScheduleDefinition } from "../../core/cron-schedule.ts";
import { parseObjectName } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { OccurrenceGate, ScheduleReport, SchedulesRpc } from "../rpc/schedules.ts";
import { keepTime } from "./keep-time.ts";
import { putSchedule } from "./put-schedule.ts";
import { reportOf } from "./report-schedule.ts";
import { runSchedules } from "./run-schedules.ts";
import { cronOccurrences } from "./cron-occurrences.ts";
import { SCHEDULES_MIGRATIONS } from "./schedules-migrations.ts";
import { SchedulesStore } from "./schedules-store.ts";

export class Schedules extends DurableObject<Env> implements SchedulesRpc {
  readonly #app: string;
  readonly #schedules: SchedulesStore;
  readonly #gate: OccurrenceGate;
  /** When it was last looked whether the clock is where it was. */
  #keptAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#app = parseObjectName(ctx.id.name).app;
    applyMigrations(ctx.storage, SCHEDULES_MIGRATIONS);
    this.#schedules = new SchedulesStore(ctx.storage.sql);
    this.#gate = (ctx as unknown as { exports: { WorkerGate: OccurrenceGate } }).exports.WorkerGate;
  }

  async list(after: string, limit: number): Promise<readonly ScheduleReport[]> {
    await this.#keepTime();
    return this.#schedules.list(after, limit).map((row) => reportOf(row, 1));
  }

  async find(name: string): Promise<ScheduleReport | null> {
    await this.#keepTime();
    const row = this.#schedules.find(name);
    return row === null ? null : reportOf(row);
  }

  async check(definition: ScheduleDefinition): Promise<Result<null>> {
    const occurrences = cronOccurrences(definition.cron, definition.timeZone);
    if (!occurrences.ok) return occurrences;
    const first = nextOccurrence({ ...definition, paused: false }, occurrences.value, Date.now());
    const detail = "This names no time to come.";
    return first === null ? fail("schedule_invalid", detail, { errors: [{ pointer: "/cron", detail }] }) : ok(null);
  }

  async put(definition: ScheduleDefinition, revision: number): Promise<Result<ScheduleReport | null>> {
    const checked = await this.check(definition);
    if (!checked.ok) return checked;
    const put = putSchedule(this.ctx.storage, this.#schedules, definition, revision, Date.now());
    if (put.ok && put.value !== null) await this.#stand();
    return put.ok ? ok(put.value === null ? null : reportOf(put.value)) : put;
  }

  async remove(name: string): Promise<boolean> {
    const removed = this.#schedules.remove(name);
    await this.#stand();
    return removed;
  }

  async end(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    applyMigrations(this.ctx.storage, SCHEDULES_MIGRATIONS);
  }

  /** Never throws: the runtime gives an alarm up after six failures, and nobody else wakes the schedules. */
  override async alarm(): Promise<void> {
    const work = { app: this.#app, schedules: this.#schedules, gate: this.#gate };
    try {
      await this.#keepTime();
      const { isOver } = await runSchedules(work, Date.now());
      if (isOver) await this.end();
      else await this.#stand();
    } catch (error) {
      logStage("schedules.alarm_failed", { app: this.#app, error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + LIMITS.TELL_AGAIN_MS); // What fails may go on failing.
    }
  }

  /** Once a wake, and whenever the clock has stepped back. */
  async #keepTime(): Promise<void> {
    const now = Date.now();
    const isKept = this.#keptAt !== null && this.#keptAt <= now;
    this.#keptAt = now;
    if (!isKept && keepTime(this.#schedules, now)) await this.#stand();
  }

  /** The alarm stands at what is due first, or nowhere. */
  async #stand(): Promise<void> {
    const dueAt = this.#schedules.nextDueAt();
    if (dueAt === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(dueAt);
  }
}
