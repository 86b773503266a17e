/** The secret that a webhook's deliveries are signed with, made anew. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { parseSecretRotation } from "../../wire/native/secret-rotation.ts";
import { attachSubscription } from "../attach.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { rotateSecret } from "../rotate-secret.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const secretRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .post("/subscriptions/:name/secret/rotate", jsonBody, idempotency, postRotation);

async function postRotation(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const request = parseSecretRotation(c.var.body === "" ? "{}" : c.var.body);
  if (!request.ok) return problem(request.failure);
  const rotated = await rotateSecret(c, request.value);
  if (!rotated.ok) return problem(rotated.failure);
  const { definition, secret, publicKey, previousUntil } = rotated.value;
  // The ledger signs by its own copy of the definition. What a crash here leaves, the cron finishes.
  const attached = await attachSubscription(c.env, definition, LIMITS.ATTACH_TOPICS_INLINE_MAX);
  if (!attached.ok) return problem(attached.failure);
  c.set("showsSecret", true);
  return json({
    ...(secret !== null && { secret }),
    ...(publicKey !== null && { publicKey }),
    previousUntil: previousUntil === null ? null : new Date(previousUntil).toISOString(),
  });
}
