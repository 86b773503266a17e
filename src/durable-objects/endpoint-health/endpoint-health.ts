/**
 * How one subscription's endpoint fares: the streak of its failures and its breaker, a few scalars. It is asked after
 * failures and after the first success that ends them, never for each attempt. Nothing hangs on it but how often a dead
 * endpoint is called: what is owed stands in the ledger, and a state that is lost begins anew, closed.
 *
 * An `itty-durable` object, within what that library is safe for: short ASCII arguments, no alarm, no socket, writes
 * that are awaited. Its `fetch` would run any method for anybody, so only facade.ts calls it.
 */
import { createDurable } from "itty-durable/itty-durable.js";
import {
  breakerAt,
  CLOSED_BREAKER,
  judgeEndpoint,
  type Breaker,
  type BreakerPolicy,
  type BreakerState,
  type EndpointReport,
  type EndpointVerdict,
} from "../../core/breaker.ts";
import type { EndpointHealthCalls } from "./facade.ts";

export class EndpointHealth extends createDurable() implements EndpointHealthCalls {
  // The library persists every property, so these names are a stored format.
  phase: BreakerState = CLOSED_BREAKER.phase;
  failures: number = CLOSED_BREAKER.failures;
  since: number = CLOSED_BREAKER.since;
  probeAt: number = CLOSED_BREAKER.probeAt;
  failedKey: string = CLOSED_BREAKER.failedKey;

  async tell(report: EndpointReport, policy: BreakerPolicy, now: number): Promise<EndpointVerdict> {
    const verdict = judgeEndpoint(this.breaker(), report, policy, now);
    await this.keep(verdict.breaker);
    return verdict;
  }

  /** Writes nothing. */
  async look(now: number): Promise<Breaker> {
    return breakerAt(this.breaker(), now);
  }

  /** The operator says that it is well. */
  async mend(): Promise<Breaker> {
    await this.keep(CLOSED_BREAKER);
    return CLOSED_BREAKER;
  }

  private breaker(): Breaker {
    const { phase, failures, since, probeAt, failedKey } = this;
    return { phase, failures, since, probeAt, failedKey };
  }

  private async keep(breaker: Breaker): Promise<void> {
    Object.assign(this, breaker);
    // Of an endpoint that is well no row is left.
    if (breaker.failures === 0) await this.destroy();
    else await this.persist();
  }
}
