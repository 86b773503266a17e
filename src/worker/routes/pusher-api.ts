/** `/apps/{id}/…`: what Pusher's server libraries call. Each request is signed; errors keep Pusher's statuses. */
import { Hono } from "hono";
import type { HubBindings, HubContext } from "../context.ts";
import { parseBatch, parseTrigger } from "../../wire/pusher/triggers.ts";
import { refuse } from "../pusher/refuse.ts";
import { authenticateSigned } from "../pusher/signed-request.ts";
import { trigger } from "../pusher/trigger.ts";
import { json } from "../respond.ts";

export const pusherApiRoutes = new Hono<HubBindings>()
  .post("/apps/:app/events", authenticateSigned, triggerOne)
  .post("/apps/:app/batch_events", authenticateSigned, triggerBatch);

async function triggerOne(c: HubContext): Promise<Response> {
  const parsed = parseTrigger(c.var.body);
  if (!parsed.ok) return refuse(parsed.failure);
  const done = await trigger(c, [parsed.value]);
  return done.ok ? json({}) : refuse(done.failure);
}

async function triggerBatch(c: HubContext): Promise<Response> {
  const parsed = parseBatch(c.var.body);
  if (!parsed.ok) return refuse(parsed.failure);
  const done = await trigger(c, parsed.value);
  return done.ok ? json({}) : refuse(done.failure);
}
