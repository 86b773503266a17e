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
import { reach } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { countUser, disconnectUser, sendToUser } from "../user-connections.ts";

export const userRoutes = new Hono<HubBindings>()
  .get("/users/:id", (c) => answer(c, getUser))
  .post("/users/:id/events", jsonBody, idempotency, (c) => answer(c, sendEvent))
  .post("/users/:id/disconnect", jsonBody, idempotency, (c) => answer(c, disconnect))
  .get("/connections", (c) => answer(c, getConnections));

async function answer(c: HubContext, work: (c: HubContext) => Promise<Result<object>>): Promise<Response> {
  const done = await reach(() => work(c));
  return done.ok ? json(done.value) : problem(done.failure);
}

async function getUser(c: HubContext): Promise<Result<object>> {
  const user = userOf(c);
  return user.ok ? ok({ id: user.value, connections: await countUser(c, user.value) }) : user;
}

/** `connections`: to how many it was sent. Who has none gets nothing: the event is kept nowhere. */
async function sendEvent(c: HubContext): Promise<Result<object>> {
  const user = userOf(c);
  if (!user.ok) return user;
  const event = parseUserEvent(c.var.body);
  return event.ok ? ok({ connections: await sendToUser(c, user.value, event.value) }) : event;
}

async function disconnect(c: HubContext): Promise<Result<object>> {
  const user = userOf(c);
  if (!user.ok) return user;
  if (c.var.body !== "" && c.var.body.trim() !== "{}") return fail("parameter_invalid", "This takes no body.");
  return ok({ connections: await disconnectUser(c, user.value) });
}

async function getConnections(c: HubContext): Promise<Result<object>> {
  if (!isAdmin(c.var.principal)) return fail("scope_missing");
  const hubs = await hubOverviews(c.env, c.var.principal.app);
  return ok({ sockets: hubs.reduce((sum, { sockets }) => sum + sockets, 0), hubs });
}

function userOf(c: HubContext): Result<string> {
  if (!isAdmin(c.var.principal)) return fail("scope_missing");
  const id = c.req.param("id") ?? "";
  const limit = LIMITS.USER_ID_BYTES_MAX;
  if (utf8Length(id) <= limit) return ok(id);
  return fail("parameter_invalid", "A user's id is shorter.", { limit, actual: utf8Length(id) });
}
