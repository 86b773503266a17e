/** Which channels are followed, and by how many: asked of every hub, because only they know it now. */
import type { ChannelCount } from "../core/occupancy.ts";
import type { Env } from "../env.ts";
import { everyHub } from "./hub-directory.ts";

/** In the order of their names, from behind `after`. Rejects when a hub cannot be reached. */
export async function countChannels(
  env: Env,
  app: string,
  prefix: string,
  after: string,
  limit: number,
): Promise<ChannelCount[]> {
  const hubs = await everyHub(env, app);
  const lists = await Promise.all(hubs.map((hub) => hub.channels(prefix, after, limit)));
  const counts = new Map<string, number>();
  for (const { channel, subscriptions } of lists.flat())
    counts.set(channel, (counts.get(channel) ?? 0) + subscriptions);
  // Each hub gives its first ones: of the first ones of all, none is missing and each is counted whole.
  const names = [...counts.keys()].toSorted((left, right) => (left < right ? -1 : 1)).slice(0, limit);
  return names.map((channel) => ({ channel, subscriptions: counts.get(channel)! }));
}

/** 0 when nobody follows it. Rejects likewise. */
export async function countChannel(env: Env, app: string, channel: string): Promise<number> {
  const hubs = await everyHub(env, app);
  const counts = await Promise.all(hubs.map((hub) => hub.countFollowers(channel)));
  return counts.reduce((sum, count) => sum + count, 0);
}
