/** Users by their open connections, whichever hubs these are in, and how many connections there are at all. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { utf8Length } from "../../core/utf8.ts";
import { parseUserEvent } from "../../wire/native/user-event.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { hubOverviews } from "../hub-directory.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, problem } from "../respond.ts";
import { countUser, disconnectUser, sendToUser } from "../user-connections.ts";

export const userRoutes = new Hono<HubBindings>()
  .get("/users/:id", getUser)
  .post("/users/:id/events", jsonBody, idempotency, sendEvent)
  .post("/users/:id/disconnect", jsonBody, idempotency, disconnect)
  .get("/connections", getConnections);

async function getUser(c: HubContext): Promise<Response> {
  const user = userOf(c);
  if (!user.ok) return problem(user.failure);
  return json({ id: user.value, connections: await countUser(c, user.value) });
}

/** `connections`: to how many it was sent. Who has none gets nothing: the event is kept nowhere. */
async function sendEvent(c: HubContext): Promise<Response> {
  const user = userOf(c);
  if (!user.ok) return problem(user.failure);
  const event = parseUserEvent(c.var.body);
  if (!event.ok) return problem(event.failure);
  return json({ connections: await sendToUser(c, user.value, event.value) });
}

async function disconnect(c: HubContext): Promise<Response> {
  const user = userOf(c);
  if (!user.ok) return problem(user.failure);
  if (c.var.body !== "" && c.var.body.trim() !== "{}")
    return problem({ code: "parameter_invalid", detail: "This takes no body." });
  return json({ connections: await disconnectUser(c, user.value) });
}

async function getConnections(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const hubs = await hubOverviews(c.env, c.var.principal.app);
  return json({ sockets: hubs.reduce((sum, { sockets }) => sum + sockets, 0), hubs });
}

function userOf(c: HubContext): Result<string> {
  if (!isAdmin(c.var.principal)) return fail("scope_missing");
  const id = c.req.param("id") ?? "";
  const limit = LIMITS.USER_ID_BYTES_MAX;
  if (utf8Length(id) <= limit) return ok(id);
  return fail("parameter_invalid", "A user's id is shorter.", { limit, actual: utf8Length(id) });
}
