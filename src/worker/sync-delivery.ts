/**
 * Delivers what was just published to the subscriptions that its publish waits for. The ledger owns the deliveries
 * first and lets the publish claim them as a consumer does; so whatever becomes of this request, nothing is lost: what
 * it does not settle is rung again.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { portsOf, type Claim } from "../delivery/claimed-dispatch.ts";
import { workDispatch, type DispatchPorts } from "../delivery/dispatch-work.ts";
import type { SyncAsk, SyncClaim, SyncPlace } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { subscription } from "../stubs.ts";
import type { Published } from "./publish.ts";
import type { SyncSubscription } from "./sync-directory.ts";

/** What the publisher is told of one event and one subscription. */
export interface SyncOutcome {
  readonly subscription: string;
  /** The event's id. */
  readonly event: string;
  /**
   * `failed` and `timeout` were attempts, and count as such; `queued` was not attempted here. All three go on async.
   */
  readonly outcome: "delivered" | "failed" | "timeout" | "queued";
  readonly status?: number;
  readonly durationMs: number;
}

interface FreshEvent extends SyncPlace {
  readonly id: string;
}

/** Resolves within the longest of their timeouts. Events that were there before are not delivered again. */
export async function deliverSync(
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  subscriptions: readonly SyncSubscription[],
  { receipts }: Published,
): Promise<readonly SyncOutcome[]> {
  if (subscriptions.length === 0) return [];
  const fresh = receipts.flatMap(({ partition, outcome }): FreshEvent[] => {
    if (!outcome.ok || outcome.value.duplicate || outcome.value.deliverAt !== undefined) return [];
    return [{ partition, offset: outcome.value.offset, id: outcome.value.id }];
  });
  if (fresh.length === 0) return [];
  const { topic, epoch } = receipts[0]!;
  const deliver = async (to: SyncSubscription): Promise<readonly SyncOutcome[]> => {
    const run = new SyncRun(env, to, fresh);
    const work = run.work({ topic, epoch, places: fresh.map(({ partition, offset }) => ({ partition, offset })) });
    ctx.waitUntil(work); // What is under way at the end of the wait is settled all the same.
    await Promise.race([work, scheduler.wait(to.timeoutMs)]);
    return run.end();
  };
  return (await Promise.all(subscriptions.map(deliver))).flat();
}

/** One publish and one subscription. */
class SyncRun {
  readonly #env: Env;
  readonly #to: SyncSubscription;
  readonly #fresh: readonly FreshEvent[];
  readonly #begunAt = Date.now();
  readonly #outcomes = new Map<string, Omit<SyncOutcome, "subscription" | "event">>();
  /** Where the ledger does not say otherwise an event may be owed; what it does not match has no outcome. */
  #owed: ReadonlySet<string>;
  readonly #begun = new Set<string>();
  #ended = false;

  constructor(env: Env, to: SyncSubscription, fresh: readonly FreshEvent[]) {
    this.#env = env;
    this.#to = to;
    this.#fresh = fresh;
    this.#owed = new Set(fresh.map(keyOf));
  }

  /** Never rejects: what goes wrong here goes on in the ledger. */
  async work(ask: SyncAsk): Promise<void> {
    const { app, id, name } = this.#to;
    try {
      const claim: SyncClaim = await subscription(this.#env, app, id).claimForPublisher(ask);
      const { answer, queued } = claim;
      this.#owed = new Set([...queued, ...(answer.kind === "claimed" ? answer.deliveries : [])].map(keyOf));
      if (answer.kind === "claimed") {
        await workDispatch(answer.deliveries, answer.definition.timeoutMs, this.#portsOf(claim.dispatch, answer));
      }
    } catch (error) {
      logStage("delivery.sync_failed", { app, subscription: name, error: String(error) });
    }
  }

  /** The wait is over: nothing more is begun. */
  end(): readonly SyncOutcome[] {
    this.#ended = true;
    const waitedMs = Date.now() - this.#begunAt;
    return this.#fresh
      .filter((event) => this.#owed.has(keyOf(event)))
      .map((event): SyncOutcome => {
        const open = this.#begun.has(keyOf(event)) ? ("timeout" as const) : ("queued" as const);
        const outcome = this.#outcomes.get(keyOf(event)) ?? { outcome: open, durationMs: waitedMs };
        return { subscription: this.#to.name, event: event.id, ...outcome };
      });
  }

  #portsOf(dispatch: number, claim: Claim): DispatchPorts {
    const { app, id } = this.#to;
    const ports = portsOf(this.#env, { app, subscription: id, dispatch, claim, sync: true }, []);
    return {
      ...ports,
      attempt: async (delivery, line) => {
        if (this.#ended) return { kind: "not_attempted" };
        this.#begun.add(keyOf(delivery));
        const startedAt = Date.now();
        const outcome = await ports.attempt(delivery, line);
        this.#note(delivery, outcome, Date.now() - startedAt);
        return outcome;
      },
    };
  }

  #note(place: SyncPlace, outcome: AttemptOutcome, durationMs: number): void {
    const status = outcome.kind === "gone" ? 410 : "status" in outcome ? outcome.status : null;
    const shown = { outcome: nameOf(outcome), ...(status !== null && { status }), durationMs };
    this.#outcomes.set(keyOf(place), shown);
  }
}

function nameOf(outcome: AttemptOutcome): SyncOutcome["outcome"] {
  if (outcome.kind === "accepted") return "delivered";
  return outcome.kind === "unreachable" && outcome.reason === "timeout" ? "timeout" : "failed";
}

const keyOf = ({ partition, offset }: SyncPlace): string => `${partition}/${offset}`;
