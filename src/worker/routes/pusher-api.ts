/** `/apps/{id}/…`: what Pusher's server libraries call. Each request is signed; errors keep Pusher's statuses. */
import { Hono } from "hono";
import type { HubBindings, HubContext } from "../context.ts";
import { LIMITS } from "../../core/limits.ts";
import { allowsEverywhere } from "../../core/principal.ts";
import { fitsUtf8 } from "../../core/utf8.ts";
import { parseBatch, parseTrigger } from "../../wire/pusher/triggers.ts";
import { refuse } from "../pusher/refuse.ts";
import { authenticateSigned } from "../pusher/signed-request.ts";
import { trigger } from "../pusher/trigger.ts";
import { json } from "../respond.ts";
import { disconnectUser } from "../user-connections.ts";

export const pusherApiRoutes = new Hono<HubBindings>()
  .post("/apps/:app/events", authenticateSigned, triggerOne)
  .post("/apps/:app/batch_events", authenticateSigned, triggerBatch)
  .post("/apps/:app/users/:user/terminate_connections", authenticateSigned, terminate);

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

/** Of the protocols together: a user is one. Who may end connections must be allowed to manage everything. */
async function terminate(c: HubContext): Promise<Response> {
  if (!allowsEverywhere(c.var.principal, "manage")) return refuse({ code: "scope_missing" });
  const user = c.req.param("user")!;
  const limit = LIMITS.USER_ID_BYTES_MAX;
  if (!fitsUtf8(user, limit)) return refuse({ code: "parameter_invalid", detail: "A user's id is shorter.", limit });
  await disconnectUser(c, user);
  return json({});
}
