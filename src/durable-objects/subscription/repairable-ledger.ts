/**
 * What operators ask of a subscription's object: what is owed, what is dead, and that it be delivered or given up, at
 * once or by a job.
 */
import type { DeadLetter, DeadLetterChoice, DeadLetterGroup, DeadLetterQuery } from "../../core/dead-letter.ts";
import type { EventFate } from "../../core/event-story.ts";
import type { JobReport, RepairAnswer, RepairOptions } from "../../core/job.ts";
import type { Result } from "../../core/result.ts";
import type { ReplayAnswer, ReplayAsk } from "../../core/replay.ts";
import type { SeekAsk, SeekMove } from "../../core/seek.ts";
import type { Env } from "../../env.ts";
import type { DeliveryReport } from "../../core/subscription-report.ts";
import type { EventPlace, ReportPage } from "../rpc.ts";
import type { RepairVerb } from "./dead-letters.ts";
import { fateOf } from "./event-fate.ts";
import { findDeliveries } from "./find-deliveries.ts";
import { JobRunner } from "./job-runner.ts";
import { cancelJob, repair, reportJob } from "./jobs.ts";
import { LedgerObject } from "./ledger-object.ts";
import { listDead, listDeadLetterGroups, listDeadLetters, listDelivered, listDeliveries } from "./list-deliveries.ts";
import { hastenParked, isParked, skipParked } from "./parked.ts";
import { replay } from "./replay.ts";
import { seek } from "./seek.ts";

export abstract class RepairableLedger extends LedgerObject {
  readonly #jobs: JobRunner;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#jobs = new JobRunner(this.ledger, () => void this.moveOn());
  }

  /** Jobs first: a slice that is done sets a time for the alarm, which then stands once. */
  override async alarm(): Promise<void> {
    this.#runJobs();
    await super.alarm();
  }

  async deliveries(
    state: DeliveryReport["state"],
    cursor: string | null,
    limit: number,
  ): Promise<ReportPage<DeliveryReport>> {
    if (state === "dead") return listDead(this.ledger, cursor, limit);
    if (state === "delivered") return listDelivered(this.ledger, cursor, limit);
    return listDeliveries(this.ledger, state, cursor, limit);
  }

  deliveriesOf(eventId: string): Promise<readonly DeliveryReport[]> {
    return findDeliveries(this.ledger, this.env, eventId);
  }

  async fateOf(place: EventPlace, line: string): Promise<EventFate> {
    return fateOf(this.ledger, place, line);
  }

  async deadLetters(cursor: string | null, limit: number, query?: DeadLetterQuery): Promise<ReportPage<DeadLetter>> {
    return listDeadLetters(this.ledger, cursor, limit, query);
  }

  async deadLetterGroups(cursor: string | null, limit: number): Promise<ReportPage<DeadLetterGroup>> {
    return listDeadLetterGroups(this.ledger, cursor, limit);
  }

  redrive(choice: DeadLetterChoice, options: RepairOptions): Promise<Result<RepairAnswer>> {
    return this.#repair("redrive", choice, options);
  }

  discard(choice: DeadLetterChoice, options: RepairOptions): Promise<Result<RepairAnswer>> {
    return this.#repair("discard", choice, options);
  }

  async seek(ask: SeekAsk): Promise<Result<readonly SeekMove[]>> {
    const answer = await seek(this.ledger, this.env, ask);
    await this.moveOn();
    return answer;
  }

  async replay(ask: ReplayAsk): Promise<Result<ReplayAnswer>> {
    const answer = await replay(this.ledger, this.env, ask);
    this.#runJobs();
    await this.moveOn();
    return answer;
  }

  async job(number: number): Promise<Result<JobReport>> {
    return reportJob(this.ledger, number);
  }

  async cancelJob(number: number): Promise<Result<JobReport>> {
    return cancelJob(this.ledger, number, Date.now());
  }

  async #repair(verb: RepairVerb, choice: DeadLetterChoice, options: RepairOptions): Promise<Result<RepairAnswer>> {
    const answer = await repair(this.ledger, verb, choice, options);
    this.#runJobs();
    await this.moveOn();
    return answer;
  }

  #runJobs(): void {
    this.ctx.waitUntil(this.#jobs.run().then(() => this.timer.stand(Date.now())));
  }

  async isParked(id: string): Promise<boolean> {
    return isParked(this.ledger, id);
  }

  async skip(id: string): Promise<Result<null>> {
    const answer = skipParked(this.ledger, id);
    await this.moveOn();
    return answer;
  }

  async retry(id: string): Promise<Result<null>> {
    const answer = hastenParked(this.ledger, id, Date.now());
    await this.moveOn();
    return answer;
  }
}
