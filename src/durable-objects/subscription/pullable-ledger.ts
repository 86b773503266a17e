/** What pull workers ask of a subscription's object: deliveries on lease, what became of them, and word of new ones. */
import type { LeaseReport, LeaseVerdicts, PullAnswer, PullAsk } from "../../core/pull.ts";
import type { Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { endLapsedClaims } from "./alarm.ts";
import { settleLeases } from "./pull-settle.ts";
import { Puller } from "./pull-take.ts";
import { PullWaiters } from "./pull-waiters.ts";
import { RepairableLedger } from "./repairable-ledger.ts";

export abstract class PullableLedger extends RepairableLedger {
  readonly #puller: Puller;
  readonly #waiters: PullWaiters;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#puller = new Puller(this.ledger, env);
    this.#waiters = new PullWaiters(ctx, this.ledger);
  }

  async pull(ask: PullAsk): Promise<Result<PullAnswer>> {
    await endLapsedClaims(this.ledger, this.env, Date.now()); // The alarm that is due may come a moment later.
    const answer = await this.#puller.pull(ask);
    await this.rest();
    return answer;
  }

  async settleLeases(report: LeaseReport): Promise<Result<LeaseVerdicts>> {
    const answer = await settleLeases(this.ledger, this.env, report, Math.random);
    await this.moveOn();
    return answer;
  }

  /** A long poll waits behind a socket, which hibernates: what waits costs nothing. */
  override async fetch(request: Request): Promise<Response> {
    const waiters = new URL(request.url).pathname === "/settled" ? this.settledWaiters : this.#waiters;
    return waiters.accept(request);
  }

  override webSocketClose(socket: WebSocket): void {
    try {
      socket.close(1000);
    } catch {
      // It is closed already.
    }
  }

  protected override async moveOn(): Promise<void> {
    await super.moveOn();
    this.#waiters.ring(Date.now());
  }
}
