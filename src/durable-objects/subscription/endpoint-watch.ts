/**
 * What the ledger knows of its endpoint's health, and what it tells the object that keeps it: failures, and the first
 * success that ends them. At most one call is under way; what is settled meanwhile goes with the next. A call that is
 * lost loses no delivery: the rows say when the next probe goes out, whatever that object has forgotten.
 */
import { BREAKER_DEFAULT, CLOSED_BREAKER, joinReports, type EndpointReport } from "../../core/breaker.ts";
import type { Breaker, EndpointVerdict } from "../../core/breaker.ts";
import { reportOf } from "../../core/endpoint-report.ts";
import { laneOf } from "../../core/lane.ts";
import { hash } from "../../core/routing.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { endpointHealth } from "../../stubs.ts";
import type { EndpointHealthReport } from "../../core/subscription-report.ts";
import type { SettledDelivery } from "../rpc.ts";
import type { Ledger } from "./ledger.ts";
import { noteOperation } from "./note-operation.ts";

export class EndpointWatch {
  readonly #ledger: Ledger;
  readonly #env: Env;
  #waiting: EndpointReport | null = null;
  #telling: Promise<void> | null = null;

  constructor(ledger: Ledger, env: Env) {
    this.#ledger = ledger;
    this.#env = env;
  }

  /** In the turn of the settle. Answers whether the endpoint was held back and is well again: all may go out. */
  observe(outcomes: readonly SettledDelivery[]): boolean {
    const ledger = this.#ledger;
    if (ledger.definition === null) return false;
    const byKey = ledger.definition.ordering === "key";
    const attempts = outcomes.map((settled) => ({ outcome: settled.outcome, key: byKey ? keyPrint(settled) : "" }));
    const report = reportOf(attempts, byKey);
    if (report === null) return false;
    const before = ledger.endpoint;
    if (before === null && report.failures === 0) return false;
    const isFreed = before !== null && before.heldUntil !== null && report.succeeded;
    if (isFreed) noteOperation(ledger, { kind: "endpoint.recovered" });
    // The row goes only when the object has heard of the success, so that no streak of its is left behind.
    if (before === null || isFreed) ledger.watchEndpoint({ heldUntil: null });
    this.#waiting = this.#waiting === null ? report : joinReports(this.#waiting, report);
    return isFreed;
  }

  /** There is something that the object that keeps its health has not heard. */
  get hasNews(): boolean {
    return this.#waiting !== null || this.#telling !== null;
  }

  /** Tells what waits. Never rejects. */
  tell(): Promise<void> {
    if (this.#waiting === null) return this.#telling ?? Promise.resolve();
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null;
    });
    return this.#telling;
  }

  /** What operators see of it. An endpoint that never failed is not asked about. */
  async look(): Promise<EndpointHealthReport> {
    const { app, subscriptionId, endpoint } = this.#ledger;
    const breaker = endpoint === null ? CLOSED_BREAKER : await this.#ask(app, subscriptionId);
    const { heldUntil } = this.#ledger;
    return {
      // What is held back is said here: the object may not have heard yet, or have forgotten.
      state: heldUntil === null ? "closed" : breaker.phase === "half_open" ? "half_open" : "open",
      failures: breaker.failures,
      since: formatTime(breaker.since),
      nextProbeAt: formatTime(heldUntil ?? 0),
    };
  }

  /** The operator has mended the endpoint, or named another. */
  async mend(): Promise<void> {
    if (this.#ledger.endpoint === null) return;
    this.#ledger.watchEndpoint(null);
    this.#waiting = null;
    try {
      await this.#telling; // What is on its way to the object must not come after this.
      await endpointHealth(this.#env, this.#ledger.app, this.#ledger.subscriptionId).mend();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #ask(app: string, subscriptionId: string): Promise<Breaker> {
    try {
      return await endpointHealth(this.#env, app, subscriptionId).look(Date.now());
    } catch (error) {
      this.#failed(error);
      return CLOSED_BREAKER;
    }
  }

  async #tellAll(): Promise<void> {
    for (let report = this.#waiting; report !== null; report = this.#waiting) {
      this.#waiting = null;
      const { app, subscriptionId, definition } = this.#ledger;
      if (definition === null) return;
      try {
        const health = endpointHealth(this.#env, app, subscriptionId);
        this.#heed(await health.tell(report, definition.breaker ?? BREAKER_DEFAULT, Date.now()));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #heed({ breaker, disable }: EndpointVerdict): void {
    const ledger = this.#ledger;
    // Removed or mended meanwhile, or a success has come since: what was said before that counts no more.
    if (ledger.definition === null || ledger.endpoint === null || this.#waiting?.succeeded === true) return;
    const { failures, probeAt } = breaker;
    const failingSince = new Date(breaker.since).toISOString();
    if (breaker.phase !== "closed") {
      if (ledger.heldUntil === null) noteOperation(ledger, { kind: "endpoint.failing", failures, failingSince });
      if (ledger.heldUntil !== probeAt) ledger.watchEndpoint({ heldUntil: probeAt });
    } else if (failures === 0 && this.#waiting === null) ledger.watchEndpoint(null);
    else if (ledger.heldUntil !== null) {
      ledger.watchEndpoint({ heldUntil: null });
      noteOperation(ledger, { kind: "endpoint.recovered" });
    }
    if (!disable || ledger.state !== "active") return;
    ledger.setState("disabled");
    noteOperation(ledger, { kind: "subscription.disabled", reason: "failing", failures, failingSince });
  }

  #failed(error: unknown): void {
    logStage("endpoint.unreported", { subscription: this.#ledger.subscriptionId, error: String(error) });
  }
}

/** Another target or another policy begins with a clean sheet. */
export const isSameEndpoint = (before: SubscriptionDefinition | null, after: SubscriptionDefinition | null): boolean =>
  JSON.stringify([before?.target, before?.breaker]) === JSON.stringify([after?.target, after?.breaker]);

/** Of the key, or of the delivery where the event has none: then it is ordered with no other. */
function keyPrint({ offset, line }: SettledDelivery): string {
  const key = line === null ? null : laneOf(line, "key");
  return key === null ? `n${offset}` : hash(key).toString(16);
}

const formatTime = (at: number): string | null => (at === 0 ? null : new Date(at).toISOString());
