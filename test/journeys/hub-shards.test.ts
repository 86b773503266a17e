import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubName } from "../../src/core/keys.ts";
import { hubPlaceOf } from "../builders/hub-place.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const PLAN = 3;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({ vars: { HUB_SOCKETS_PLAN: String(PLAN) } });
});
afterAll(() => hub.close());

async function makeApp(
  name: string,
  quotas = {},
): Promise<{ readonly id: string; mint(user: string): Promise<string> }> {
  await hub.json("POST", "/v1/apps", { name, quotas });
  const row = await (
    await hub.database()
  )
    .prepare("SELECT id FROM apps WHERE name = ?1")
    .bind(name)
    .first<{ id: string }>();
  const inApp = { "tidings-app": name };
  return {
    id: row!.id,
    mint: async (user) => {
      const body = { scopes: ["publish:**", "subscribe:**"], user: { id: user } };
      return (await hub.json<{ token: string }>("POST", "/v1/tokens", body, inApp)).body.token;
    },
  };
}

const open = (token: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${token}`);

const openMany = (count: number, token: string): Promise<TestSocket[]> =>
  Promise.all(Array.from({ length: count }, () => open(token)));

const closeAll = (sockets: readonly TestSocket[]) => Promise.all(sockets.map((socket) => socket.close()));

async function shardsOf(app: string): Promise<number[]> {
  const database = await hub.database();
  const { results } = await database
    .prepare("SELECT shard FROM hubs WHERE app = ?1 ORDER BY shard")
    .bind(app)
    .all<{ shard: number }>();
  return results.map(({ shard }) => shard);
}

/** How many connections of each hub follow the topic. */
const followers = (app: string, shards: readonly number[], topic: string): Promise<number[]> =>
  Promise.all(
    shards.map(async (shard) => {
      const sql = `SELECT connection FROM follows WHERE topic = '${topic}'`;
      return (await hub.rows("ChannelHub", hubName(hubPlaceOf(app, shard)), sql)).length;
    }),
  );

const codeOf = async (socket: TestSocket): Promise<number> => (await socket.closed).code;

describe("sockets beyond the plan of one hub", () => {
  it("[HUB-1, HUB-2] that come at once are all let in, by hubs of which none takes more than its plan", async () => {
    const { id, mint } = await makeApp("crowd");
    const sockets = await openMany(10, await mint("ada"));
    await Promise.all(sockets.map((socket) => socket.subscribe("room")));
    const shards = await shardsOf(id);
    expect(shards.length).toBeGreaterThanOrEqual(4);
    const counts = await followers(id, shards, "room");
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
    expect(Math.max(...counts)).toBeLessThanOrEqual(PLAN);

    await hub.publish("room", [{ type: "a" }, { type: "b" }], { "tidings-app": "crowd" });
    await Promise.all(sockets.map((socket) => socket.until(() => socket.events().length === 2, "both events")));
    await closeAll(sockets);
  });

  it("[HUB-1] end in the hub that has room again, before another is made", async () => {
    const { id, mint } = await makeApp("ebb");
    const token = await mint("ada");
    const sockets = await openMany(PLAN, token);
    expect(await shardsOf(id)).toEqual([0]);
    await sockets[0]!.close();
    const another = await open(token);
    expect(await shardsOf(id)).toEqual([0]);
    await closeAll([another, ...sockets.slice(1)]);
  });
});

describe("a socket", () => {
  it("[HUB-1] ends in a hub of its client's continent", async () => {
    const european = await startHub({ continent: "EU" });
    const socket = await european.connect();
    await socket.subscribe("room");
    const name = hubName({ ...hubPlaceOf("app_default"), region: "weur" });
    expect(await european.rows("ChannelHub", name, "SELECT topic FROM follows")).toEqual([{ topic: "room" }]);
    await european.close();
  });
});

describe("a quota of sockets", () => {
  const isOpen = (socket: TestSocket | null): socket is TestSocket => socket !== null;
  const openIfLetIn = (token: string): Promise<TestSocket | null> => open(token).catch(() => null);
  const rush = async (count: number, token: string): Promise<TestSocket[]> =>
    (await Promise.all(Array.from({ length: count }, () => openIfLetIn(token)))).filter(isOpen);

  it("[WS-24] is never passed over several hubs, and used to the last place", async () => {
    const { id, mint } = await makeApp("bounded", { sockets: 8 });
    const token = await mint("ada");
    const sockets: TestSocket[] = [];
    for (let round = 0; round < 3; round += 1) {
      sockets.push(...(await rush(12, token)));
      expect(sockets.length).toBeLessThanOrEqual(8);
      sockets.push(...(await fill(8 - sockets.length, token)));
      expect(await openIfLetIn(token)).toBeNull();
      await closeAll(sockets.splice(0, 5));
    }
    expect((await shardsOf(id)).length).toBeGreaterThanOrEqual(3);
    await closeAll(sockets);
  });

  it("[WS-24] that comes while sockets are open counts those of every hub", async () => {
    const { mint } = await makeApp("late");
    const sockets = await openMany(7, await mint("ada"));
    expect((await hub.json("PATCH", "/v1/apps/late", { quotas: { sockets: 8 } })).status).toBe(200);
    const token = await mint("ada");
    const last = await open(token);
    for (let tries = 0; tries < 5; tries += 1) expect(await openIfLetIn(token)).toBeNull();
    await closeAll([...sockets, last]);
  });

  /** Places that other hubs have given up are found after a while. */
  async function fill(count: number, token: string): Promise<TestSocket[]> {
    const sockets: TestSocket[] = [];
    while (sockets.length < count) sockets.push((await eventually(() => openIfLetIn(token), isOpen, "a place"))!);
    return sockets;
  }
});

describe("a revocation", () => {
  it("[HUB-3] closes sockets in every hub before it is answered", async () => {
    const { mint } = await makeApp("taken");
    const [mallory, ada] = await Promise.all([mint("mallory"), mint("ada")]);
    const [revoked, others] = [await openMany(8, mallory), await openMany(3, ada)];
    await Promise.all([...revoked, ...others].map((socket) => socket.subscribe("room")));
    const answer = await hub.json("POST", "/v1/revocations", { user: "mallory" }, { "tidings-app": "taken" });
    expect(answer.status).toBe(201);
    expect(await Promise.all(revoked.map(codeOf))).toEqual(revoked.map(() => 4_501));
    for (const socket of others) expect(await socket.subscribe("room")).toMatchObject({ op: "subscribed" });
    await closeAll(others);
  });

  it("[HUB-3] leaves no socket open of those that make new hubs while it is under way", async () => {
    const { mint } = await makeApp("rush");
    const token = await mint("mallory");
    const rush = Array.from({ length: 40 }, async (_, at) => {
      await new Promise((resolve) => setTimeout(resolve, at * 3)); // Spread over the revocation.
      return open(token).catch(() => null);
    });
    await rush[10];
    const answer = hub.json("POST", "/v1/revocations", { user: "mallory" }, { "tidings-app": "rush" });
    const sockets = (await Promise.all(rush)).filter((socket) => socket !== null);
    expect((await answer).status).toBe(201);
    expect(sockets.length).toBeGreaterThan(0);
    const ends = sockets.map((socket) => socket.message(({ op }) => op === "error", "its end"));
    for (const end of await Promise.all(ends)) expect(end["problem"]).toMatchObject({ code: "credential_revoked" });
  });

  it("[HUB-3] of a whole app closes the sockets in all of its hubs", async () => {
    const { mint } = await makeApp("gone");
    const sockets = await openMany(7, await mint("ada"));
    await Promise.all(sockets.map((socket) => socket.subscribe("room")));
    expect((await hub.json("DELETE", "/v1/apps/gone")).status).toBe(204);
    expect(await Promise.all(sockets.map(codeOf))).toEqual(sockets.map(() => 4_501));
  });
});
