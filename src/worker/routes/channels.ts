/** Channels as they are now: which are occupied, and how many follow each, over all hubs. */
import { Hono } from "hono";
import { channelKindOf } from "../../core/channel-kind.ts";
import type { ChannelCount } from "../../core/occupancy.ts";
import { LIMITS } from "../../core/limits.ts";
import { isPresenceChannel } from "../../core/member.ts";
import { isTopicName } from "../../core/names.ts";
import { ok } from "../../core/result.ts";
import { maySeeChannel, maySeeMembers } from "../channel-access.ts";
import { countChannel, countChannels } from "../channel-counts.ts";
import { countMembers } from "../channel-members.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { reach } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { listVisible } from "../visible-list.ts";

export const channelRoutes = new Hono<HubBindings>().get("/channels", listChannels).get("/channels/:topic", getChannel);

/** Those that are occupied. */
async function listChannels(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const prefix = c.req.query("prefix") ?? "";
  if (prefix.length > LIMITS.TOPIC_NAME_CHARS_MAX)
    return problem({ code: "parameter_invalid", detail: "No channel has a name that begins so." });
  const page = await reach(() =>
    listVisible<ChannelCount>(c, {
      nameOf: ({ channel }) => channel,
      isVisible: ({ channel }) => maySeeChannel(principal, channel),
      read: (after, limit) => countChannels(c.env, principal.app, prefix, after, limit),
    }),
  );
  if (!page.ok) return problem(page.failure);
  return json({ items: page.value.items.map(formatChannel), cursor: page.value.cursor });
}

/**
 * A channel is there while somebody follows it: to ask makes no topic, and needs none. Of a presence channel it says
 * how many members there are to who may see them.
 */
async function getChannel(c: HubContext): Promise<Response> {
  const channel = c.req.param("topic")!;
  if (!isTopicName(channel)) return problem({ code: "topic_name_invalid" });
  if (!maySeeChannel(c.var.principal, channel)) return problem({ code: "scope_missing" });
  const seesMembers = isPresenceChannel(channel) && maySeeMembers(c.var.principal, channel);
  const counted = await reach(async () =>
    ok({
      subscriptions: await countChannel(c.env, c.var.principal.app, channel),
      ...(seesMembers && { members: await countMembers(c, channel) }),
    }),
  );
  if (!counted.ok) return problem(counted.failure);
  const { subscriptions, ...members } = counted.value;
  return json({ ...formatChannel({ channel, subscriptions }), ...members });
}

const formatChannel = ({ channel, subscriptions }: ChannelCount) => ({
  name: channel,
  kind: channelKindOf(channel).access,
  occupied: subscriptions > 0,
  subscriptions,
});
