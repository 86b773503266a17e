import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import type { TestSocket, WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "2" } }); // Few sockets fill a hub, so channels span several.
});
afterAll(() => hub.close());

const TOPIC = "$system.channels";

async function newsOf(channel: string): Promise<WireEvent[]> {
  const { status } = await hub.json("GET", `/v1/topics/${encodeURIComponent(TOPIC)}`);
  if (status === 404) return []; // Nothing has been told yet.
  return (await hub.readAll(TOPIC)).filter(({ subject }) => subject === channel);
}

const typesOf = (news: readonly WireEvent[]): string[] => news.map(({ type }) => type.replace("channel.", ""));
const turnsOf = (news: readonly WireEvent[]): string[] =>
  typesOf(news).filter((type) => type === "occupied" || type === "vacated");

/** Waits for so many turns of the channel, and gives them. */
const turns = (channel: string, count: number): Promise<string[]> =>
  eventually(
    async () => turnsOf(await newsOf(channel)),
    (found) => found.length >= count,
    `${count} turns`,
  );

const connectMany = (count: number): Promise<TestSocket[]> =>
  Promise.all(Array.from({ length: count }, () => hub.connect()));

interface Channel {
  readonly name: string;
  readonly kind: string;
  readonly occupied: boolean;
  readonly subscriptions: number;
}

const look = async (channel: string): Promise<Channel> =>
  (await hub.json<Channel>("GET", `/v1/channels/${encodeURIComponent(channel)}`)).body;

describe("a channel", () => {
  it("[CHN-9] is occupied with its first follower and vacated with its last, over all hubs, once each", async () => {
    const sockets = await connectMany(5);
    for (const socket of sockets) await socket.subscribe("room");
    expect(await look("room")).toEqual({ name: "room", kind: "public", occupied: true, subscriptions: 5 });
    expect(await turns("room", 1)).toEqual(["occupied"]);
    for (const socket of sockets.slice(1)) await socket.close();
    await sockets[0]!.ask({ op: "unsubscribe", topic: "room" });
    expect(await turns("room", 2)).toEqual(["occupied", "vacated"]);
    expect(await look("room")).toMatchObject({ occupied: false, subscriptions: 0 });
    await sockets[0]!.subscribe("room");
    expect(await turns("room", 3)).toEqual(["occupied", "vacated", "occupied"]);
    const news = await newsOf("room");
    expect(news[0]).toMatchObject({ type: "channel.occupied", source: "/channels", data: { channel: "room" } });
    expect(news[0]!.partitionkey).toBe("room");
    await sockets[0]!.close();
  });

  it("[CHN-10] has its followers counted, now and then while they change, and the last count always", async () => {
    const sockets = await connectMany(4);
    for (const socket of sockets) await socket.subscribe("crowd");
    const counts = async () =>
      (await newsOf("crowd"))
        .filter(({ type }) => type === "channel.subscription_count")
        .map(({ data }) => (data as { subscriptions: number }).subscriptions);
    const told = await eventually(counts, (found) => found.at(-1) === 4, "the last count");
    expect(told).toEqual([...new Set(told)].toSorted());
    for (const socket of sockets) await socket.close();
    await turns("crowd", 2);
    expect(typesOf(await newsOf("crowd")).at(-1)).toBe("vacated");
  });

  it("[CHN-9] is vacated when its topic is deleted, and occupied by who follows the next", async () => {
    const [socket] = await connectMany(1);
    await socket!.subscribe("passing");
    await turns("passing", 1);
    await hub.json("DELETE", "/v1/topics/passing");
    await socket!.message(({ op }) => op === "unsubscribed");
    expect(await turns("passing", 2)).toEqual(["occupied", "vacated"]);
    await socket!.subscribe("passing");
    expect(await turns("passing", 3)).toEqual(["occupied", "vacated", "occupied"]);
    await socket!.close();
  });

  it("[CHN-11] that caches and has nothing says so once, until something is published or nobody is left", async () => {
    const misses = async () => typesOf(await newsOf("cache-rates")).filter((type) => type !== "subscription_count");
    const [one, two] = await connectMany(2);
    await one!.subscribe("cache-rates");
    await two!.subscribe("cache-rates");
    await two!.message(({ op }) => op === "caught_up");
    await Promise.all([one!.close(), two!.close()]);
    await turns("cache-rates", 2);
    expect(await misses()).toEqual(["occupied", "cache_miss", "vacated"]);
    const [three] = await connectMany(1);
    await three!.subscribe("cache-rates");
    const again = await eventually(misses, (found) => found.length >= 5, "the next miss");
    expect(again.slice(3)).toEqual(["occupied", "cache_miss"]);
    await hub.publish("cache-rates", { type: "rate" });
    const [four] = await connectMany(1);
    await four!.subscribe("cache-rates");
    await four!.message(({ op }) => op === "event");
    await Promise.all([three!.close(), four!.close()]);
    await turns("cache-rates", 4);
    expect((await misses()).slice(5)).toEqual(["vacated"]);
  });

  it("[CHN-12] tells any subscription that selects it", async () => {
    const target = { kind: "pull" };
    await hub.json("PUT", "/v1/subscriptions/watch", { topics: ["$system.*"], target, filter: { subject: ["seen"] } });
    const [socket] = await connectMany(1);
    await socket!.subscribe("seen");
    const pulled = await hub.json<{ deliveries: { event: WireEvent }[] }>("POST", "/v1/subscriptions/watch/pull", {
      max: 1,
      wait: "10s",
    });
    const told = pulled.body.deliveries.map(({ event: { type, partitionkey } }) => [type, partitionkey]);
    expect(told).toEqual([["channel.occupied", "seen"]]);
    await socket!.close();
  });
});

describe("the list of channels", () => {
  it("[CHN-13] names those that are occupied, counted over all hubs, page by page, for whom they concern", async () => {
    const sockets = await connectMany(3);
    for (const [index, socket] of sockets.entries()) {
      await socket.subscribe("list-all");
      for (const name of [`list-${index}a`, `list-${index}b`]) await socket.subscribe(name);
    }
    await sockets[0]!.subscribe("other");
    interface List {
      items: Channel[];
      cursor: string | null;
    }
    const list = async (query: string, headers: Record<string, string> = {}): Promise<List> =>
      (await hub.json<List>("GET", `/v1/channels?prefix=list-${query}`, undefined, headers)).body;
    const whole = await list("");
    expect(whole.items.map(({ name, subscriptions }) => [name, subscriptions])).toEqual([
      ...["list-0a", "list-0b", "list-1a", "list-1b", "list-2a", "list-2b"].map((name) => [name, 1]),
      ["list-all", 3],
    ]);
    const seen: Channel[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: List = await list(`&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items);
      ({ cursor } = page);
    }
    expect(seen).toEqual(whole.items);
    const key = async (scopes: string[]) => {
      const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
      return { authorization: `Bearer ${body.key}` };
    };
    const narrow = await key(["subscribe:list-1*"]);
    expect((await list("", narrow)).items.map(({ name }) => name)).toEqual(["list-1a", "list-1b"]);
    expect((await hub.json("GET", "/v1/channels/list-all", undefined, narrow)).status).toBe(403);
    expect((await list("", await key(["publish:**", "history:**"]))).items).toEqual([]);
    for (const socket of sockets) await socket.close();
    const empty = await eventually(
      () => list(""),
      ({ items }) => items.length === 0,
      "nobody",
    );
    expect(empty).toEqual({ items: [], cursor: null });
  });

  it("[CHN-13] makes no topic of a channel that is asked for", async () => {
    expect(await look("presence-nobody")).toEqual({
      name: "presence-nobody",
      kind: "presence",
      occupied: false,
      subscriptions: 0,
      members: 0,
    });
    expect((await hub.json("GET", "/v1/topics/presence-nobody")).status).toBe(404);
  });
});

it("[CHN-14] sockets that a kill -9 took are missed as soon as their hubs are asked, and no ghost stays", async () => {
  const before = await connectMany(3);
  for (const socket of before) await socket.subscribe("haunted");
  await turns("haunted", 1);
  await hub.killRuntime();
  expect((await look("haunted")).subscriptions).toBe(0);
  expect(await turns("haunted", 2)).toEqual(["occupied", "vacated"]);
  const [back] = await connectMany(1);
  await back!.subscribe("haunted");
  expect(await turns("haunted", 3)).toEqual(["occupied", "vacated", "occupied"]);
  await back!.close();
});
