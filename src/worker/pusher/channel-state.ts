/** Channels as Pusher's server API tells of them. */
import { channelKindOf } from "../../core/channel-kind.ts";
import { LIMITS } from "../../core/limits.ts";
import { isPresenceChannel } from "../../core/member.ts";
import type { Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { topicLog } from "../../stubs.ts";
import { pusherEventOf } from "../../wire/pusher/event-data.ts";
import type { ChannelAttribute } from "../../wire/pusher/triggers.ts";
import { maySeeChannel, maySeeMembers } from "../channel-access.ts";
import { countChannel, countChannels } from "../channel-counts.ts";
import { countMembers, readMembers } from "../channel-members.ts";
import type { HubContext } from "../context.ts";
import { findTopic } from "../topic-directory.ts";
import { lifeOf } from "../topic-life.ts";

export interface ChannelState {
  readonly user_count?: number;
  readonly subscription_count?: number;
  readonly cache?: CachedEvent | null;
}

export interface CachedEvent {
  readonly data: string;
  /** Seconds. */
  readonly ttl: number;
}

const maySeeAttribute = (principal: Principal, channel: string, attribute: ChannelAttribute): boolean =>
  attribute === "user_count" ? maySeeMembers(principal, channel) : maySeeChannel(principal, channel);

/** Whether a channel of that name has such an attribute at all. */
export function hasAttribute(channel: string, attribute: ChannelAttribute): boolean {
  if (attribute === "user_count") return isPresenceChannel(channel);
  return attribute === "subscription_count" || channelKindOf(channel).cached;
}

/**
 * What is asked of the channel, can be, and is within the key's scopes; the rest is left out. Rejects when a hub cannot
 * be reached.
 */
export async function describeChannel(
  c: HubContext,
  channel: string,
  asked: readonly ChannelAttribute[],
): Promise<ChannelState> {
  const { principal } = c.var;
  const wanted = new Set(asked.filter((one) => hasAttribute(channel, one) && maySeeAttribute(principal, channel, one)));
  return {
    ...(wanted.has("user_count") && { user_count: await countMembers(c, channel) }),
    ...(wanted.has("subscription_count") && { subscription_count: await countFollowers(c, channel) }),
    ...(wanted.has("cache") && { cache: await lastEventOf(c, channel) }),
  };
}

export const countFollowers = (c: HubContext, channel: string): Promise<number> =>
  countChannel(c.env, c.var.principal.app, channel);

/** Rejects likewise. Fails with `parameter_invalid` when members are to be counted of too many. */
export async function listChannels(
  c: HubContext,
  prefix: string,
  asked: readonly ChannelAttribute[],
): Promise<Result<Record<string, ChannelState>>> {
  const names: string[] = [];
  for (let after = ""; ; after = names.at(-1)!) {
    const page = await countChannels(c.env, c.var.principal.app, prefix, after, LIMITS.LIST_ITEMS_MAX);
    names.push(...page.map(({ channel }) => channel));
    if (page.length < LIMITS.LIST_ITEMS_MAX) break;
  }
  const visible = names.filter((name) => maySeeChannel(c.var.principal, name));
  const limit = LIMITS.LIST_ITEMS_MAX;
  if (asked.length > 0 && visible.length > limit)
    return fail("parameter_invalid", "Ask for fewer channels by a longer prefix.", { limit, actual: visible.length });
  const states = await Promise.all(visible.map((name) => describeChannel(c, name, asked)));
  return ok(Object.fromEntries(visible.map((name, index) => [name, states[index]!])));
}

/** Ids of the members. A channel that is no topic has none. */
export async function membersOf(c: HubContext, channel: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await readMembers(c, channel, ids.at(-1) ?? "", LIMITS.LIST_ITEMS_MAX);
    if (!page.ok) return [];
    const { items } = page.value;
    ids.push(...items.map(({ id }) => id));
    if (items.length < LIMITS.LIST_ITEMS_MAX) return ids;
  }
}

/** As Pusher keeps it at most; the hub keeps and sends it as long as its topic does. */
const CACHE_SECONDS_MAX = 1_800;

async function lastEventOf(c: HubContext, channel: string): Promise<CachedEvent | null> {
  const topic = await findTopic(c.env, c.var.principal.app, channel);
  if (!topic.ok) return null;
  const [log, life] = [topicLog(c.env, topic.value.app, channel, 0), lifeOf(topic.value)];
  const status = await log.status(life);
  if (!status.ok || status.value.events === 0) return null;
  const start = { kind: "after", epoch: null, offset: status.value.lastOffset - 1 } as const;
  const filter = { types: null, keys: null, keyStream: null };
  const page = await log.read({ life, start, until: null, eventsMax: 1, bytesMax: LIMITS.PAGE_BYTES_MAX, ...filter });
  if (!page.ok || page.value.body === "") return null;
  return { data: pusherEventOf(page.value.body).text, ttl: CACHE_SECONDS_MAX };
}
