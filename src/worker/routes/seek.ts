/** `POST /v1/subscriptions/{name}/seek`: the place from which the subscription goes on. */
import { Hono } from "hono";
import type { SeekMove } from "../../core/seek.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { parseSeekRequest } from "../../wire/native/seek-request.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const seekRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .post("/subscriptions/:name/seek", jsonBody, idempotency, seek);

/** The audit log is told first, with what a dry run has said: no seek goes unseen, and a refused one was asked for. */
async function seek(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const request = parseSeekRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const { app, id, name } = found.value;
  const preview = await subscription(c.env, app, id).seek({ ...request.value, dryRun: true });
  if (!preview.ok) return problem(preview.failure);
  if (request.value.dryRun) return json(viewOf(preview.value));
  const { partitions, ...after } = viewOf(preview.value);
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: "subscription.sought",
    subject: name,
    before: null,
    after: { ...after, partitions: partitions.length },
  });
  const moved = await subscription(c.env, app, id).seek(request.value);
  return moved.ok ? json(viewOf(moved.value)) : problem(moved.failure);
}

const viewOf = (partitions: readonly SeekMove[]) => ({
  again: partitions.reduce((sum, { again }) => sum + again, 0),
  skipped: partitions.reduce((sum, { skipped }) => sum + skipped, 0),
  partitions,
});
