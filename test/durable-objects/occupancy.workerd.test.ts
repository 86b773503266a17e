import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { splitLines } from "../../src/core/event.ts";
import type { FollowerCount } from "../../src/core/occupancy.ts";
import { ok } from "../../src/core/result.ts";
import { CHANNELS_TOPIC } from "../../src/core/system-event.ts";
import { HubOccupancy, LOOK_MS } from "../../src/durable-objects/channel-hub/occupancy.ts";
import type { TopicChannel } from "../../src/durable-objects/channel-hub/topic-channel.ts";
import type { LogLife } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { TopicsStore } from "../../src/store/topics-store.ts";
import { lifeOf } from "../../src/worker/topic-life.ts";
import { makeApp } from "../builders/api-keys.ts";
import type { HubClient } from "../builders/hub-client.ts";
import { HubWorld } from "../builders/hub-world.ts";
import { makeRead, valueOf } from "../builders/log.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

let world: HubWorld;

beforeAll(migrateDatabase);
beforeEach(async () => {
  world = new HubWorld();
  await makeApp({ id: world.app, name: world.app.replaceAll("_", "-") });
});
afterEach(() => world.close());

interface News {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

async function newsOf(channel: string): Promise<News[]> {
  const topic = await new TopicsStore(env.DB).find(world.app, CHANNELS_TOPIC);
  if (topic === null) return [];
  const page = valueOf(await world.log(CHANNELS_TOPIC).read(makeRead({ life: lifeOf(topic) })));
  return splitLines(page.body)
    .map((line) => JSON.parse(line) as News)
    .filter(({ subject }) => subject === channel);
}

/** What the channel became, in turn. */
const turnsOf = async (channel: string): Promise<string[]> =>
  (await newsOf(channel))
    .map(({ type }) => type.replace("channel.", ""))
    .filter((type) => type === "occupied" || type === "vacated");

const expectTurns = (channel: string, turns: readonly string[]): Promise<void> =>
  expect.poll(() => turnsOf(channel), { timeout: 10_000 }).toEqual(turns);

it("[CHN-13] the hub's own topics are listed nowhere, whoever follows them", async () => {
  const client = await world.connect();
  await client.subscribe("room");
  await expectTurns("room", ["occupied"]);
  await client.subscribe(CHANNELS_TOPIC);
  expect(await world.hub.channels("", "", 10)).toEqual([{ channel: "room", subscriptions: 1 }]);
});

it("[CHN-14] a hub whose sockets are gone unheard finds out by its own alarm, within five minutes", async () => {
  const client = await world.connect();
  await client.subscribe("room");
  await expectTurns("room", ["occupied"]);
  const alarmAt = await runInDurableObject(world.hub, (_hub, { storage }) => storage.getAlarm());
  expect(alarmAt! - Date.now()).toBeLessThanOrEqual(LOOK_MS);
  expect(alarmAt! - Date.now()).toBeGreaterThan(LOOK_MS / 2);
  await evictDurableObject(world.hub, { webSockets: "close" });
  expect(await runDurableObjectAlarm(world.hub)).toBe(true);
  await expectTurns("room", ["occupied", "vacated"]);
  expect(await world.rows("SELECT * FROM told_followers")).toEqual([]);
  expect(await runDurableObjectAlarm(world.hub), "nobody is here, so nobody wakes it").toBe(false);
});

it("[CHN-9] what could not be told is told later, in order", async () => {
  const client = await world.connect();
  const inLog = (sql: string) =>
    runInDurableObject(world.log("room"), (_log, { storage }) => void storage.sql.exec(sql));
  await inLog("CREATE TRIGGER busy BEFORE INSERT ON occupants BEGIN SELECT RAISE(ABORT, 'not now'); END");
  await client.subscribe("room");
  expect(await turnsOf("room")).toEqual([]);
  await inLog("DROP TRIGGER busy");
  await world.runAlarm();
  await client.ask({ op: "unsubscribe", topic: "room" });
  await expectTurns("room", ["occupied", "vacated"]);
});

it("[CHN-9] a word that comes late, or twice, changes nothing", async () => {
  const life = lifeOf(await world.makeTopic("room"));
  const tell = async (version: number, followers: number, hub = "one") =>
    valueOf(await world.log("room").tellFollowers(life, { hub, version, followers, missed: false }));
  expect(await tell(2, 3)).toEqual({ kind: "accepted" });
  expect(await tell(1, 0)).toEqual({ kind: "late", version: 2 });
  expect(await tell(2, 0)).toEqual({ kind: "late", version: 2 });
  await tell(1, 1, "two");
  await tell(3, 0);
  await tell(3, 0);
  expect(await turnsOf("room").then((turns) => turns.filter((turn) => turn === "vacated"))).toEqual([]);
  await tell(2, 0, "two");
  await expectTurns("room", ["occupied", "vacated"]);
});

it("[CHN-9] a hub whose clock is behind where it was before is heard all the same", async () => {
  const client = await world.connect();
  await client.subscribe("room");
  await expectTurns("room", ["occupied"]);
  const ahead = "UPDATE occupants SET version = version + 3600000";
  const setBack = () => runInDurableObject(world.log("room"), (_log, { storage }) => void storage.sql.exec(ahead));
  await setBack();
  await client.ask({ op: "unsubscribe", topic: "room" });
  await world.runAlarm();
  await expectTurns("room", ["occupied", "vacated"]);
  await setBack();
  await world.evict();
  await client.subscribe("room");
  await expectTurns("room", ["occupied", "vacated", "occupied"]);
});

it("[CHN-9] a word whose answer was lost is in doubt, and followed by another though nothing differs", async () => {
  const words: number[] = [];
  const tellFollowers = async (_life: LogLife, { followers }: FollowerCount) => {
    words.push(followers);
    if (words.length === 1) throw new Error("planned");
    return ok({ kind: "accepted" });
  };
  const logs = { getByName: () => ({ tellFollowers }) } as unknown as Env["TOPIC_LOG"];
  const life = lifeOf(await world.makeTopic("room"));
  await runInDurableObject(world.hub, async (_hub, ctx) => {
    const followers = new Map<string, unknown>([["c", null]]);
    const room = { name: "room", epoch: life.epoch, followed: { life }, followers } as unknown as TopicChannel;
    const channels = new Map([["room", room]]);
    const occupancy = new HubOccupancy({ ctx, env: { ...env, TOPIC_LOG: logs }, channels });
    occupancy.changed("room");
    await expect.poll(() => occupancy.dueAt, { message: "the failure is noted" }).not.toBeNull();
    channels.clear(); // Nobody follows any more, and that was told last: or so the hub would think.
    occupancy.look(Date.now());
    await expect.poll(() => words).toEqual([1, 0]);
  });
});

it("[CHN-10] a count that changes often is told now and then, and the last one by the log's alarm", async () => {
  const life = lifeOf(await world.makeTopic("crowd"));
  for (let followers = 1; followers <= 30; followers += 1)
    valueOf(await world.log("crowd").tellFollowers(life, { hub: "one", version: followers, followers, missed: false }));
  const counts = async (): Promise<number[]> =>
    (await newsOf("crowd")).flatMap(({ data }) => (data as { subscriptions?: number }).subscriptions ?? []);
  await expect.poll(counts, { timeout: 10_000 }).toContain(1);
  expect((await counts()).length).toBeLessThan(15);
  await expect.poll(counts, { timeout: 15_000 }).toContain(30);
});

it(`[CHN-9] over random joins, leaves and evictions turns alternate and end with the truth (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const channels = ["a", "b", "c"];
  const clients: HubClient[] = [];
  const follows = new Map<HubClient, Set<string>>();
  const join = async (): Promise<void> => {
    const client = clients.length < 4 ? await world.connect() : pick(random, clients);
    if (!follows.has(client)) {
      clients.push(client);
      follows.set(client, new Set());
    }
    const channel = pick(random, channels);
    await client.subscribe(channel);
    follows.get(client)!.add(channel);
  };
  const leave = async (): Promise<void> => {
    if (clients.length === 0) return;
    const client = pick(random, clients);
    const channel = pick(random, channels);
    await client.ask({ op: "unsubscribe", topic: channel });
    follows.get(client)!.delete(channel);
  };
  const hangUp = async (): Promise<void> => {
    const client = clients.shift();
    client?.close();
    await client?.closed;
    if (client !== undefined) follows.delete(client);
  };
  const evictLog = () => evictDurableObject(world.log(pick(random, channels))).catch(() => undefined);
  const steps = [join, join, join, leave, leave, hangUp, () => world.evict(), evictLog];
  for (let step = 0; step < 60; step += 1) await pick(random, steps)();
  for (const channel of channels) {
    const isOccupied = [...follows.values()].some((followed) => followed.has(channel));
    const last = isOccupied ? "occupied" : "vacated";
    await expect.poll(async () => (await turnsOf(channel)).at(-1) ?? "vacated", { timeout: 10_000 }).toBe(last);
    const turns = await turnsOf(channel);
    expect(turns).toEqual(turns.map((_, index) => (index % 2 === 0 ? "occupied" : "vacated")));
  }
});
