import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../builders/tokens.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "2" } });
});
afterAll(() => hub.close());

async function mint(user: string | null): Promise<string> {
  const body = { scopes: ["subscribe:**"], ...(user !== null && { user: { id: user } }) };
  return (await hub.json<{ token: string }>("POST", "/v1/tokens", body)).body.token;
}

async function open(user: string | null): Promise<TestSocket> {
  const socket = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${await mint(user)}`);
  await socket.subscribe("room");
  return socket;
}

const openMany = (count: number, user: string): Promise<TestSocket[]> =>
  Promise.all(Array.from({ length: count }, () => open(user)));

const closeAll = (sockets: readonly TestSocket[]) => Promise.all(sockets.map((socket) => socket.close()));

const userEvents = (socket: TestSocket): unknown[] =>
  socket.messages.filter(({ op }) => op === "user_event").map(({ event }) => event);

/** By its answer the hub has said all that it had to say before. */
const settled = (sockets: readonly TestSocket[]) => Promise.all(sockets.map((socket) => socket.subscribe("room")));

describe("an event to a user", () => {
  it("[HUB-4] reaches every connection of the user in every hub, and nobody else's", async () => {
    const [ada, others] = [await openMany(5, "ada"), [await open("bob"), await open(null)]];
    const sent = await hub.json("POST", "/v1/users/ada/events", { type: "greeting", data: { n: 1 } });
    expect(sent).toMatchObject({ status: 200, body: { connections: 5 } });
    await settled([...ada, ...others]);
    expect(ada.map(userEvents)).toEqual(ada.map(() => [{ type: "greeting", data: { n: 1 } }]));
    expect(others.map(userEvents)).toEqual([[], []]);
    await closeAll([...ada, ...others]);
    const { body } = await hub.json<{ items: { name: string }[] }>("GET", "/v1/topics");
    expect(body.items.filter(({ name }) => !name.startsWith("$"))).toHaveLength(1);
  });

  it("[HUB-4] keeps its payload as it was sent, and reaches a stream", async () => {
    const headers = { ...bearer(await mint("été/7")), accept: "text/event-stream" };
    const response = await hub.request("/v1/topics/room/events?from=latest", { headers });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const reads = async (what: string): Promise<void> => {
      while (!text.includes(what)) text += (await reader.read()).value ?? "";
    };
    await reads("caught_up");
    const path = `/v1/users/${encodeURIComponent("été/7")}/events`;
    const body = '{"type":"n","data":{ "big": 12345678901234567890, "exact": 1.0 }}';
    const sent = await hub.request(path, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(await sent.json()).toEqual({ connections: 1 });
    await reads('event: user_event\ndata: {"type":"n","data":{"big":12345678901234567890,"exact":1.0}}\n\n');
    await reader.cancel();
  });

  it("[HUB-4] goes to nobody where the user has no connection", async () => {
    const sent = await hub.json("POST", "/v1/users/nobody/events", { type: "t" });
    expect(sent).toMatchObject({ status: 200, body: { connections: 0 } });
  });

  it("[HUB-7] waits for a silent reader up to a bound, and goes on when that is heard of", async () => {
    const socket = await open("slow");
    const send = async (): Promise<unknown> =>
      (await hub.json("POST", "/v1/users/slow/events", { type: "large", data: "x".repeat(200_000) })).body;
    for (let count = 0; count < 6; count += 1) expect(await send()).toEqual({ connections: 1 });
    expect(await send()).toEqual({ connections: 0 });
    await settled([socket]);
    expect(await send()).toEqual({ connections: 1 });
    await socket.until(() => userEvents(socket).length === 7, "what was sent");
    await socket.close();
  });
});

describe("disconnect", () => {
  it("[HUB-5] ends the user's connections in every hub, and no other's; the user may come again", async () => {
    const [eve, others] = [await openMany(5, "eve"), [await open("bob"), await open(null)]];
    const answer = await hub.json("POST", "/v1/users/eve/disconnect");
    expect(answer).toMatchObject({ status: 200, body: { connections: 5 } });
    for (const socket of eve) {
      expect((await socket.closed).code).toBe(4_503);
      expect(socket.messages.at(-1)).toMatchObject({ op: "error", problem: { code: "user_disconnected" } });
    }
    await settled(others);
    const again = await open("eve");
    await closeAll([...others, again]);
    const { body } = await hub.json<{ items: { action: string; subject: string }[] }>("GET", "/v1/audit?limit=1000");
    expect(body.items).toContainEqual(expect.objectContaining({ action: "user.disconnected", subject: "eve" }));
  });
});

describe("connections", () => {
  it("[HUB-6] are counted per user and per hub", async () => {
    const inApp = { "tidings-app": "counted" };
    await hub.json("POST", "/v1/apps", { name: "counted" });
    const grant = { scopes: ["subscribe:**"], user: { id: "ada" } };
    const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", grant, inApp);
    const url = `${hub.url.replace("http", "ws")}/v1/connect?token=${body.token}`;
    const sockets = [await TestSocket.open(url), await TestSocket.open(url), await TestSocket.open(url)];
    const ask = async (path: string): Promise<unknown> => (await hub.json("GET", path, undefined, inApp)).body;
    expect(await ask("/v1/users/ada")).toEqual({ id: "ada", connections: 3 });
    expect(await ask("/v1/users/bob")).toEqual({ id: "bob", connections: 0 });
    const place = { protocol: "native", region: "any" };
    expect(await ask("/v1/connections")).toEqual({
      sockets: 3,
      hubs: [
        { ...place, shard: 0, sockets: 2, users: 1 },
        { ...place, shard: 1, sockets: 1, users: 1 },
      ],
    });
    await Promise.all(sockets.map((socket) => socket.subscribe("room")));
    await closeAll(sockets);
  });

  it("[HUB-6] are an admin's concern", async () => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: ["publish:**"] });
    const calls = [
      hub.json("GET", "/v1/users/ada", undefined, bearer(body.key)),
      hub.json("GET", "/v1/connections", undefined, bearer(body.key)),
      hub.json("POST", "/v1/users/ada/events", { type: "t" }, bearer(body.key)),
      hub.json("POST", "/v1/users/ada/disconnect", {}, bearer(body.key)),
    ];
    for (const call of calls) expect(await call).toMatchObject({ status: 403, body: { code: "scope_missing" } });
  });
});
