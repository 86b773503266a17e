/** `/apps/{id}/…`: what Pusher's server libraries call. Each request is signed; errors keep Pusher's statuses. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isPresenceChannel } from "../../core/member.ts";
import { isTopicName } from "../../core/names.ts";
import { allowsEverywhere } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8 } from "../../core/utf8.ts";
import { parseBatch, parseTrigger, readAttributes } from "../../wire/pusher/triggers.ts";
import { maySeeChannel, maySeeMembers } from "../channel-access.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { countFollowers, describeChannel, hasAttribute, listChannels, membersOf } from "../pusher/channel-state.ts";
import { refuse } from "../pusher/refuse.ts";
import { authenticateSigned } from "../pusher/signed-request.ts";
import { trigger } from "../pusher/trigger.ts";
import { reach } from "../reach.ts";
import { json } from "../respond.ts";
import { disconnectUser } from "../user-connections.ts";

export const pusherApiRoutes = new Hono<HubBindings>()
  .post("/apps/:app/events", authenticateSigned, (c) => answer(c, triggerOne))
  .post("/apps/:app/batch_events", authenticateSigned, (c) => answer(c, triggerBatch))
  .get("/apps/:app/channels", authenticateSigned, (c) => answer(c, getChannels))
  .get("/apps/:app/channels/:channel", authenticateSigned, (c) => answer(c, getChannel))
  .get("/apps/:app/channels/:channel/users", authenticateSigned, (c) => answer(c, getUsers))
  .post("/apps/:app/users/:user/terminate_connections", authenticateSigned, (c) => answer(c, terminate));

async function answer(c: HubContext, work: (c: HubContext) => Promise<Result<object>>): Promise<Response> {
  const done = await reach(() => work(c));
  return done.ok ? json(done.value) : refuse(done.failure);
}

/** What is asked of its channels is answered beside. */
async function triggerOne(c: HubContext): Promise<Result<object>> {
  const parsed = parseTrigger(c.var.body);
  if (!parsed.ok) return parsed;
  const { channels, asked } = parsed.value;
  const done = await trigger(c, [parsed.value]);
  if (!done.ok || asked.length === 0) return done.ok ? ok({}) : done;
  const states = await Promise.all(channels.map(async (name) => [name, await describeChannel(c, name, asked)]));
  return ok({ channels: Object.fromEntries(states) as object });
}

async function triggerBatch(c: HubContext): Promise<Result<object>> {
  const parsed = parseBatch(c.var.body);
  if (!parsed.ok) return parsed;
  const done = await trigger(c, parsed.value);
  if (!done.ok || parsed.value.every(({ asked }) => asked.length === 0)) return done.ok ? ok({}) : done;
  const batch = parsed.value.map(({ channels, asked }) => describeChannel(c, channels[0]!, asked));
  return ok({ batch: await Promise.all(batch) });
}

async function getChannels(c: HubContext): Promise<Result<object>> {
  const prefix = c.req.query("filter_by_prefix") ?? "";
  if (prefix.length > LIMITS.TOPIC_NAME_CHARS_MAX)
    return fail("parameter_invalid", "No channel has a name that begins so.");
  const asked = readAttributes(c.req.query("info") ?? "");
  if (!asked.ok) return asked;
  if (
    asked.value.some((attribute) => attribute !== "user_count") ||
    (asked.value.length > 0 && !isPresenceChannel(prefix))
  )
    return fail("parameter_invalid", "Of many channels user_count alone can be asked, with a prefix of presence-.");
  const channels = await listChannels(c, prefix, asked.value);
  return channels.ok ? ok({ channels: channels.value }) : channels;
}

async function getChannel(c: HubContext): Promise<Result<object>> {
  const channel = channelOf(c);
  if (!channel.ok) return channel;
  const asked = readAttributes(c.req.query("info") ?? "");
  if (!asked.ok) return asked;
  if (!asked.value.every((attribute) => hasAttribute(channel.value, attribute)))
    return fail("parameter_invalid", "A channel of that kind has no such attribute.");
  const occupied = (await countFollowers(c, channel.value)) > 0;
  return ok({ occupied, ...(await describeChannel(c, channel.value, asked.value)) });
}

async function getUsers(c: HubContext): Promise<Result<object>> {
  const channel = channelOf(c, maySeeMembers);
  if (!channel.ok) return channel;
  if (!isPresenceChannel(channel.value)) return fail("parameter_invalid", "Only presence channels have users.");
  return ok({ users: (await membersOf(c, channel.value)).map((id) => ({ id })) });
}

function channelOf(c: HubContext, isAllowed = maySeeChannel): Result<string> {
  const channel = c.req.param("channel")!;
  if (!isTopicName(channel)) return fail("topic_name_invalid");
  return isAllowed(c.var.principal, channel) ? ok(channel) : fail("scope_missing");
}

/** Of the protocols together: a user is one. Who may end connections must be allowed to manage everything. */
async function terminate(c: HubContext): Promise<Result<object>> {
  if (!allowsEverywhere(c.var.principal, "manage")) return fail("scope_missing");
  const user = c.req.param("user")!;
  const limit = LIMITS.USER_ID_BYTES_MAX;
  if (!fitsUtf8(user, limit)) return fail("parameter_invalid", "A user's id is shorter.", { limit });
  await disconnectUser(c, user);
  return ok({});
}
