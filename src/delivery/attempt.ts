/** One attempt at one target. What can go wrong is an outcome; a throw here is a bug. */
import { unreachable } from "../core/assert.ts";
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import type { Env } from "../env.ts";
import type { AttemptRequest } from "./attempt-request.ts";
import { attemptListener } from "./listener.ts";
import { attemptPusherWebhook } from "./pusher-webhook.ts";
import { attemptTopic } from "./topic-target.ts";
import { attemptWebhook } from "./webhook.ts";
import { attemptWorker } from "./worker-target.ts";

export async function attemptDelivery(env: Env, request: AttemptRequest): Promise<AttemptOutcome> {
  const { target } = request.definition;
  switch (target.kind) {
    case "webhook":
      return attemptWebhook(env, target, request);
    case "listener":
      return attemptListener(env, target.name, request);
    case "pull":
      return Promise.resolve({ kind: "not_attempted" }); // Its workers come for it: the ledger lets no consumer claim.
    case "worker":
      return (await attemptWorker(env, target.binding, request.definition, [request]))[0]!;
    case "topic":
      return attemptTopic(env, target.topic, request);
    case "pusher":
      return attemptPusherWebhook(env, target, request);
    default:
      return unreachable(target);
  }
}
