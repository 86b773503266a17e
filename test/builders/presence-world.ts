/** Presence inside the runtime: users of one channel over several hubs, and what a test does to hubs and room. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { TokenPrincipal } from "../../src/core/principal.ts";
import type { Scope } from "../../src/core/scope.ts";
import { channelHub, presenceRoom } from "../../src/stubs.ts";
import { HubClient } from "./hub-client.ts";
import { hubPlaceOf } from "./hub-place.ts";
import { HubWorld } from "./hub-world.ts";
import { valueOf } from "./log.ts";
import { membersSeen } from "./members-seen.ts";
import { env } from "./objects.ts";

export const CHANNEL = "presence-hall";

const SCOPES: readonly Scope[] = (["subscribe", "presence"] as const).map((action) => ({ action, pattern: "**" }));

const SOON_MS = 4_000;

export class PresenceWorld {
  readonly #world = new HubWorld();
  readonly #clients: HubClient[] = [];

  get app(): string {
    return this.#world.app;
  }

  get room() {
    return presenceRoom(env, this.app, CHANNEL);
  }

  hub(shard = 0) {
    return channelHub(env, hubPlaceOf(this.app, shard));
  }

  /** Once in a world. */
  async makeChannel(): Promise<number> {
    return (await this.#world.makeTopic(CHANNEL)).epoch;
  }

  async enter(id: string, shard = 0): Promise<HubClient> {
    return this.#open({ id, data: null }, shard, { presence: {} });
  }

  /** Sees the members without being one. */
  async watch(shard = 0): Promise<HubClient> {
    return this.#open(null, shard, {});
  }

  async #open(user: TokenPrincipal["user"], shard: number, more: object): Promise<HubClient> {
    const principal: TokenPrincipal = {
      kind: "token",
      app: this.app,
      appName: "tests",
      quotas: {},
      key: "AAAAAAAAAAAA",
      keyQuotas: {},
      token: "t-1",
      user,
      scopes: SCOPES,
      keyScopes: SCOPES,
      issuedAt: Date.now(),
      expiresAt: Date.now() + 3_600_000,
    };
    const client = await HubClient.open(principal, 50, shard);
    this.#clients.push(client);
    await client.subscribe(CHANNEL, { ...more });
    return client;
  }

  /** Takes the hub out of memory while its sockets live on. */
  async evictHub(shard = 0): Promise<void> {
    await runInDurableObject(this.hub(shard), () => undefined); // What sleeps already cannot be evicted.
    await evictDurableObject(this.hub(shard), { webSockets: "hibernate" });
  }

  /** As a crash leaves it: its sockets are gone, and no handler has heard of that. */
  async crashHub(shard = 0): Promise<void> {
    await runInDurableObject(this.hub(shard), () => undefined);
    await evictDurableObject(this.hub(shard), { webSockets: "close" });
  }

  async evictRoom(): Promise<void> {
    await runInDurableObject(this.room, () => undefined);
    await evictDurableObject(this.room);
  }

  alarmOfHub(shard = 0): Promise<number | null> {
    return runInDurableObject(this.hub(shard), (_hub, ctx) => ctx.storage.getAlarm());
  }

  runHubAlarm(shard = 0): Promise<boolean> {
    return runDurableObjectAlarm(this.hub(shard));
  }

  /** When the hub is due next, after what it does soon after somebody came or left; null: it sleeps. */
  async nextWake(shard = 0): Promise<number | null> {
    for (;;) {
      const at = await this.alarmOfHub(shard);
      if (at === null || at - Date.now() > SOON_MS) return at;
      await this.runHubAlarm(shard);
    }
  }

  runRoomAlarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.room);
  }

  /** As its rows say, without asking anybody. */
  connections(): Promise<number> {
    const sql = `SELECT count(*) AS count FROM connections`;
    return runInDurableObject(this.room, (_room, ctx) => ctx.storage.sql.exec<{ count: number }>(sql).one().count);
  }

  async members(epoch: number): Promise<string[]> {
    const { items } = valueOf(await this.room.members(epoch, "", 1_000));
    return items.map(({ id, connections }) => `${id} ${connections}`);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

export const seenBy = (client: HubClient): string[] => [...membersSeen(client, CHANNEL).members.keys()].toSorted();
