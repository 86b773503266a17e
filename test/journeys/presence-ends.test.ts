import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memberOps, membersSeen } from "../builders/members-seen.ts";
import { connectAs, connectObserver, connectUser, makeUserToken, untilMembers } from "../builders/presence.ts";
import { objectName } from "../../src/core/keys.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { ResetSocket } from "../harness/reset-socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let channels = 0;
const nextChannel = (): string => `presence-end-${(channels += 1)}`;

beforeAll(async () => {
  hub = await startHub({ vars: { PRESENCE_SILENCE_MS: "4000" } });
});
afterAll(() => hub.close());

describe("a member leaves", () => {
  it("[PRE-3] when its connection is reset", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const { token } = await makeUserToken(hub, "ana");
    const ana = await ResetSocket.open(hub.url, `/v1/connect?token=${token}`);
    ana.send({ op: "subscribe", topic: channel, presence: {} });
    await ana.until('"subscribed"');
    await untilMembers(looking, channel, ["ana"]);
    ana.reset();
    await untilMembers(looking, channel, []);
  });

  it("[PRE-7] when nothing is heard of it any more, and not while it pings", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const silent = await connectUser(hub, "silent", { answers: false });
    const quiet = await connectUser(hub, "quiet");
    for (const socket of [silent, quiet]) await socket.subscribe(channel, { presence: {} });
    const pinging = setInterval(() => quiet.send('{"op":"ping"}'), 500);
    expect(await silent.closed).toMatchObject({ code: 4_410 });
    await untilMembers(looking, channel, ["quiet"]);
    expect(memberOps(looking).toSorted()).toEqual([
      "member_added quiet",
      "member_added silent",
      "member_removed silent",
    ]);
    expect([...membersSeen(looking, channel).members.keys()]).toEqual(["quiet"]);
    clearInterval(pinging);
    await quiet.close();
  });

  it("[PRE-8] with its credential, revoked or at its end", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const [revoked, expiring] = [await connectUser(hub, "revoked"), await connectUser(hub, "expiring", { ttl: "6s" })];
    for (const socket of [revoked, expiring]) await socket.subscribe(channel, { presence: {} });
    await untilMembers(looking, channel, ["expiring", "revoked"]);
    await hub.json("POST", "/v1/revocations", { user: "revoked" });
    await untilMembers(looking, channel, ["expiring"]);
    await untilMembers(looking, channel, []);
    expect(memberOps(looking).slice(2)).toEqual(["member_removed revoked", "member_removed expiring"]);
  });

  it("[PRE-8] with a fresh token that does not allow presence, and goes on hearing events", async () => {
    const channel = nextChannel();
    const looking = await connectObserver(hub);
    await looking.subscribe(channel);
    const ana = await connectUser(hub, "ana");
    await ana.subscribe(channel, { presence: {} });
    const { token } = await makeUserToken(hub, "ana", { scopes: ["subscribe:presence-*"] });
    expect(await ana.ask({ op: "refresh", token })).toMatchObject({ op: "refreshed" });
    await untilMembers(looking, channel, []);
    await hub.publish(channel, { type: "still" });
    await ana.message(({ op }) => op === "event");
    expect(ana.messages.some(({ op }) => op === "member_removed")).toBe(false);
  });

  it("[PRE-8] by subscribing without presence, and then only looks on", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana");
    await ana.subscribe(channel, { presence: {} });
    expect(await ana.subscribe(channel)).toMatchObject({ op: "subscribed" });
    await untilMembers(ana, channel, []);
    const ben = await connectUser(hub, "ben");
    await ben.subscribe(channel, { presence: {} });
    await untilMembers(ana, channel, ["ben"]);
    expect(await ben.subscribe(channel, { presence: false })).not.toHaveProperty("members");
    await untilMembers(ana, channel, []);
  });

  it("[PRE-8] with its channel, and the next life of that begins empty", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana");
    await ana.subscribe(channel, { presence: {} });
    expect((await hub.json("DELETE", `/v1/topics/${channel}`)).status).toBe(204);
    await ana.message(({ op }) => op === "unsubscribed");
    const told = async () => (await hub.readAll("$system.presence")).filter(({ subject }) => subject === channel);
    const events = await eventually(told, ({ length }) => length >= 2, "the leave, though nobody comes after", 8_000);
    expect(events.map(({ type }) => type)).toEqual(["member.added", "member.removed"]);
    const looking = await connectObserver(hub);
    expect(await looking.subscribe(channel)).toMatchObject({ members: [] });
  });
});

describe("another app", () => {
  const makeApp = async (name: string): Promise<{ readonly key: string; readonly id: string }> => {
    await hub.json("POST", "/v1/apps", { name });
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", app: name, scopes: ["admin"] });
    const database = await hub.database();
    const row = await database.prepare("SELECT id FROM apps WHERE name = ?").bind(name).first<{ id: string }>();
    return { key: body.key, id: row!.id };
  };

  it("[PRE-9] cannot tell who is present, nor whether the channel is there", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana");
    await ana.subscribe(channel, { presence: {} });
    const { key } = await makeApp("prying");
    const headers = { authorization: `Bearer ${key}` };
    const look = async (path: string) => {
      const answer = await hub.request(path, { headers });
      return [answer.status, await answer.text()];
    };
    for (const rest of ["members", "members/ana"]) {
      const [there, absent] = [
        await look(`/v1/channels/${channel}/${rest}`),
        await look(`/v1/channels/presence-no/${rest}`),
      ];
      expect(there).toEqual(absent);
      expect(there[0]).toBe(404);
    }
  });

  it("[PRE-8] takes its members with it when it is deleted", async () => {
    const { key, id } = await makeApp("brief");
    const channel = nextChannel();
    const asked = { scopes: ["subscribe:presence-*", "presence:presence-*"], user: { id: "ana" }, ttl: "10m" };
    const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", asked, { authorization: `Bearer ${key}` });
    const ana = await connectAs(hub, body.token);
    await ana.subscribe(channel, { presence: {} });
    const room = objectName("presence", id, channel);
    const rows = () => hub.rows("PresenceRoom", room, "SELECT id FROM members");
    expect(JSON.stringify(await rows())).toContain("ana");
    expect((await hub.json("DELETE", "/v1/apps/brief")).status).toBe(204);
    await eventually(rows, (left) => !JSON.stringify(left).includes("ana"), "nobody is left");
  });
});

describe("the app's topic of presence", () => {
  it("[PRE-10] tells who came and who left, once each and in order, to any subscription", async () => {
    const channel = nextChannel();
    const ana = await connectUser(hub, "ana");
    await ana.subscribe(channel, { presence: {} });
    await ana.ask({ op: "presence", topic: channel, data: 1 });
    const ben = await connectUser(hub, "ben");
    await ben.subscribe(channel, { presence: {} });
    await ana.ask({ op: "unsubscribe", topic: channel });
    const look = async () => (await hub.readAll("$system.presence")).filter(({ subject }) => subject === channel);
    const events = await eventually(look, (found) => found.length >= 3, "three events");
    expect(events).toMatchObject([
      {
        type: "member.added",
        source: `/channels/${channel}`,
        partitionkey: channel,
        data: { channel, user: "ana", version: 1 },
      },
      { type: "member.added", data: { user: "ben", version: 3 } },
      { type: "member.removed", data: { user: "ana", version: 4 } },
    ]);
    expect(events.map(({ data }) => Object.keys(data as object))).toEqual(
      events.map(() => ["channel", "user", "version"]),
    );
  });
});

describe("a server", () => {
  it("[PRE-9] reads the members in pages by id", async () => {
    const channel = nextChannel();
    const sockets = await Promise.all(["c", "a", "b"].map((id) => connectUser(hub, id)));
    for (const socket of sockets) await socket.subscribe(channel, { presence: {} });
    const ids = (body: unknown) => (body as { items: { id: string }[] }).items.map(({ id }) => id);
    const first = await hub.json("GET", `/v1/channels/${channel}/members?limit=2`);
    expect([ids(first.body), first.body["count"]]).toEqual([["a", "b"], 3]);
    const rest = await hub.json("GET", `/v1/channels/${channel}/members?limit=2&cursor=${first.body["cursor"]}`);
    expect([ids(rest.body), rest.body["cursor"]]).toEqual([["c"], null]);
  });

  it("[PRE-9] reads how many there are with the channel, if it may see them", async () => {
    const channel = nextChannel();
    const sockets = await Promise.all(["ann", "bob", "bob"].map((id) => connectUser(hub, id)));
    for (const socket of sockets) await socket.subscribe(channel, { presence: {} });
    const look = async (headers = {}) =>
      (await hub.json("GET", `/v1/channels/${channel}`, undefined, headers)).body as object;
    expect(await look()).toMatchObject({ name: channel, subscriptions: 3, members: 2 });
    const scopes = ["subscribe:presence-*"];
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "narrow", scopes });
    const narrow = await look({ authorization: `Bearer ${body.key}` });
    expect(narrow).toMatchObject({ subscriptions: 3 });
    expect(narrow).not.toHaveProperty("members");
    expect((await hub.json("GET", "/v1/channels/presence-nowhere")).body).toMatchObject({
      occupied: false,
      members: 0,
    });
    expect((await hub.json("GET", "/v1/channels/room")).body).not.toHaveProperty("members");
  });

  it("[PRE-9] and a client are refused by name", async () => {
    const channel = nextChannel();
    await hub.json("PUT", `/v1/topics/${channel}`, {});
    const status = async (path: string, headers = {}) => {
      const { status: code, body } = await hub.json("GET", path, undefined, headers);
      return [code, body["code"]];
    };
    expect(await status(`/v1/channels/${channel}/members`)).toEqual([200, undefined]);
    expect(await status(`/v1/channels/${channel}/members/nobody`)).toEqual([404, "member_not_found"]);
    expect(await status("/v1/channels/presence-absent/members")).toEqual([404, "topic_not_found"]);
    expect(await status("/v1/channels/orders/members")).toEqual([422, "presence_not_offered"]);
    expect(await status("/v1/channels/$x/members")).toEqual([422, "topic_name_invalid"]);
    expect(await status(`/v1/channels/${channel}/members?limit=0`)).toEqual([422, "parameter_invalid"]);
    expect(await status(`/v1/channels/${channel}/members?cursor=${"x".repeat(300)}`)).toEqual([400, "cursor_invalid"]);
    const { token } = await makeUserToken(hub, "ana", { scopes: ["subscribe:**"] });
    const bare = { authorization: `Bearer ${token}` };
    expect(await status(`/v1/channels/${channel}/members`, bare)).toEqual([403, "scope_missing"]);
    expect(await status("/v1/channels/presence-absent/members", bare)).toEqual([403, "scope_missing"]);

    const socket = await connectAs(hub, token);
    expect(await socket.subscribe(channel)).not.toHaveProperty("members");
    const code = async (from: typeof socket, message: { op: string; [name: string]: unknown }) =>
      ((await from.ask(message))["problem"] as { code: string }).code;
    const enter = { op: "subscribe", topic: channel, presence: {} };
    expect(await code(socket, enter)).toBe("scope_missing");
    expect(await code(socket, { op: "presence", topic: channel, data: 1 })).toBe("scope_missing");
    const root = await connectAs(hub, ROOT_KEY);
    expect(await code(root, enter)).toBe("presence_user_missing");
    expect(await code(root, { ...enter, topic: "orders" })).toBe("presence_not_offered");
    const ben = await connectUser(hub, "ben");
    expect(await code(ben, { ...enter, presence: { data: "x".repeat(5_000) } })).toBe("presence_invalid");
    expect(await code(ben, { ...enter, presence: { more: 1 } })).toBe("frame_invalid");
    expect(await code(ben, { ...enter, presence: 5 })).toBe("frame_invalid");
    expect(await hub.json("GET", `/v1/channels/${channel}/members`)).toMatchObject({ body: { items: [], count: 0 } });
  });
});
