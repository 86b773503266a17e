/**
 * What the work on a claimed dispatch touches: the events' lines, the target, the ledger, the log. The same for the
 * queue's consumer and for a publish that waits.
 */
import { readConfig } from "../config.ts";
import { isExpired } from "../core/expiry.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { liftLine } from "../core/upcast.ts";
import type { ClaimAnswer } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { subscription } from "../stubs.ts";
import { AttemptLog } from "./attempt-log.ts";
import { AttemptSpans } from "./attempt-spans.ts";
import { attemptsAt } from "./attempt.ts";
import type { DispatchPorts } from "./dispatch-work.ts";
import { refuseStart } from "./job-start.ts";
import { EventLines, type HeldLine } from "./event-lines.ts";

export type Claim = Extract<ClaimAnswer, { kind: "claimed" }>;

export interface ClaimedDispatch {
  readonly app: string;
  /** Its id. */
  readonly subscription: string;
  readonly dispatch: number;
  readonly claim: Claim;
  /** A publish waits for it. */
  readonly sync?: true;
}

/** The event as the subscription asks for it. What the ledger keeps of it is the line of the log. */
export const liftFor = ({ lifts }: Pick<SubscriptionDefinition, "lifts">, line: string): string =>
  lifts === undefined ? line : liftLine(line, lifts);

/** `held`: lines that came with the message. */
export function portsOf(env: Env, claimed: ClaimedDispatch, held: readonly HeldLine[]): DispatchPorts {
  const { app, subscription: id, dispatch, claim, sync } = claimed;
  const { definition, deliveries } = claim;
  const lines = new EventLines(env, app, deliveries, held);
  const by = { app, subscription: definition.name, target: definition.target.kind, ...(sync && { sync }) };
  const log = new AttemptLog(by, deliveries);
  const attempt = attemptsAt(env, definition);
  const spans = readConfig(env).otlp === null ? null : new AttemptSpans(definition);
  return {
    line: async (delivery) => {
      const line = await lines.of(delivery);
      if (line === null || isExpired(line, Date.now())) return null;
      spans?.saw(delivery, line);
      return line;
    },
    attempt: async (delivery, line) => {
      const refused = await refuseStart(env, definition, delivery, line);
      return refused ?? attempt(delivery, liftFor(definition, line));
    },
    settle: async (outcomes, done) => {
      // A stub breaks after an exception: a new one for each call.
      const answer = await subscription(env, app, id).settle(dispatch, claim.claim, outcomes, done);
      log.settled(outcomes, done);
      spans?.settled(outcomes);
      return answer;
    },
    now: () => Date.now(),
    later: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
}
