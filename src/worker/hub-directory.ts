/**
 * The app's hubs. Who must reach every socket reads them anew, each time; who places one more goes by what the isolate
 * remembers. A hub's row stands before its first socket, so no socket is ever out of reach.
 */
import { chooseShard, type HubPlace } from "../core/hub-place.ts";
import { hubName } from "../core/keys.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { ChannelHubRpc, HubOverview } from "../durable-objects/rpc/channel-hub.ts";
import type { Env } from "../env.ts";
import { HubsStore } from "../store/hubs-store.ts";
import { channelHub } from "../stubs.ts";
import { IsolateCache } from "./isolate-cache.ts";

/** A hub that was full is left alone for so long. */
const FULL_KEPT_MS = 5_000;

type HubStub = DurableObjectStub<ChannelHubRpc>;

/** Every hub that may hold sockets of the app: of all that were let in before this was called, none is missing. */
export async function everyHub(env: Env, app: string): Promise<HubStub[]> {
  return (await new HubsStore(env.DB).of(app)).map((place) => channelHub(env, place));
}

export type HubReport = Omit<HubPlace, "app"> & HubOverview;

export async function hubOverviews(env: Env, app: string): Promise<HubReport[]> {
  const places = await new HubsStore(env.DB).of(app);
  return Promise.all(
    places.map(async (place) => {
      const { protocol, region, shard } = place;
      return { protocol, region, shard, ...(await channelHub(env, place).overview()) };
    }),
  );
}

/** The shards of one app, protocol and region. */
const shardsByRegion = new IsolateCache<readonly number[]>();
/** By name. */
const fullHubs = new IsolateCache<true>();

type Placing = Omit<HubPlace, "shard">;

/** What a hub answers to `enter`. Null: it is full. */
export type Entered<Value> = Value | null;

/**
 * Goes from hub to hub until one lets the socket in or refuses it for a reason of its own. Fails with `quota_exceeded`
 * when the region has as many hubs as it may and all are full.
 */
export async function enterHub<Value>(
  env: Env,
  placing: Placing,
  enter: (hub: HubStub) => Promise<Entered<Value>>,
): Promise<Result<Value>> {
  const key = JSON.stringify([placing.app, placing.protocol, placing.region]);
  const remembered = shardsByRegion.get(key, Date.now());
  let [shards, areCurrent] = [remembered ?? [], false];
  const full = new Set(shards.filter((shard) => isKnownFull({ ...placing, shard })));
  for (;;) {
    const choice = chooseShard({ shards, full, areCurrent }, Math.random());
    switch (choice.kind) {
      case "enter": {
        const place = { ...placing, shard: choice.shard };
        const entered = await enter(channelHub(env, place));
        if (entered !== null) return ok(entered);
        full.add(choice.shard);
        fullHubs.set(hubName(place), true, Date.now() + FULL_KEPT_MS);
        break;
      }
      case "look":
        shards = await readShards(env, placing, key);
        areCurrent = true;
        break;
      case "make":
        await new HubsStore(env.DB).add({ ...placing, shard: choice.shard }, Date.now());
        shards = await readShards(env, placing, key);
        break;
      case "refuse":
        return tooManySockets(shards.length);
    }
  }
}

const isKnownFull = (place: HubPlace): boolean => fullHubs.get(hubName(place), Date.now()) !== undefined;

async function readShards(env: Env, { app, protocol, region }: Placing, key: string): Promise<readonly number[]> {
  const shards = (await new HubsStore(env.DB).of(app))
    .filter((place) => place.protocol === protocol && place.region === region)
    .map(({ shard }) => shard);
  shardsByRegion.set(key, shards, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return shards;
}

const tooManySockets = (hubs: number): Result<never> =>
  fail("quota_exceeded", "Every hub of this region is full.", {
    limit: LIMITS.REGION_HUBS_MAX,
    actual: hubs,
    retryAfterSeconds: Math.ceil(FULL_KEPT_MS / 1_000),
  });
