/** Attempts at one target. What can go wrong is an outcome; a throw here is a bug. */
import { unreachable } from "../core/assert.ts";
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import type { AttemptRequest } from "./attempt-request.ts";
import { attemptListener } from "./listener.ts";
import { attemptPusherWebhook } from "./pusher-webhook.ts";
import { attemptTopic } from "./topic-target.ts";
import { WebhookCaller } from "./webhook.ts";
import { attemptWorker } from "./worker-target.ts";

/** What each attempt at one target does: made once for many deliveries, so that what they share is made ready once. */
export type Attempt = (delivery: ClaimedDelivery, line: string) => Promise<AttemptOutcome>;

export function attemptsAt(env: Env, definition: SubscriptionDefinition): Attempt {
  const { target } = definition;
  switch (target.kind) {
    case "webhook": {
      const caller = new WebhookCaller(env, definition, target);
      return (delivery, line) => caller.attempt(delivery, line);
    }
    case "listener":
      return (delivery, line) => attemptListener(env, target.name, { definition, delivery, line });
    case "pull":
      return () => Promise.resolve({ kind: "not_attempted" }); // Its workers come for it: no consumer may claim.
    case "worker":
      return async (delivery, line) => (await attemptWorker(env, target.binding, definition, [{ delivery, line }]))[0]!;
    case "topic":
      return (delivery, line) => attemptTopic(env, target.topic, { definition, delivery, line });
    case "pusher":
      return (delivery, line) => attemptPusherWebhook(env, target, { definition, delivery, line });
    default:
      return unreachable(target);
  }
}

/** A single one. */
export const attemptDelivery = (env: Env, { definition, delivery, line }: AttemptRequest): Promise<AttemptOutcome> =>
  attemptsAt(env, definition)(delivery, line);
