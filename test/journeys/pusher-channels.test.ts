import type Pusher from "pusher-js";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import {
  connected,
  Heard,
  makePusherKey,
  PusherApp,
  pusherClient,
  pusherServer,
  signIn,
  SUBSCRIBED,
  subscribed,
} from "../builders/pusher.ts";

let app: PusherApp;

beforeAll(async () => {
  app = await PusherApp.open();
});
afterEach(() => app.leave());
afterAll(() => app.close());

it("[PUS-1] pusher-js connects, and its socket_id is what the server library takes", async () => {
  const socketId = await connected(app.client());
  expect(socketId).toMatch(/^\d+\.\d+$/);
});

it("[PUS-2] what the server library triggers on a public channel reaches pusher-js and native readers alike", async () => {
  const { heard } = await subscribed(app.client(), "news");
  const native = await app.hub.connect();
  await native.subscribe("news");
  await app.server.trigger("news", "headline", { title: "Good", n: [1, 2.5] });
  await app.server.trigger("news", "plain", "no JSON at all");
  await app.hub.publish("news", { type: "native.said", data: { from: "native" } });
  expect(await heard.of("headline")).toEqual([{ title: "Good", n: [1, 2.5] }]);
  expect(await heard.of("plain")).toEqual(["no JSON at all"]);
  expect(await heard.of("native.said")).toEqual([{ from: "native" }]);
  const events = await app.hub.readAll("news");
  expect(events.map(({ type, data }) => [type, data])).toEqual([
    ["headline", { title: "Good", n: [1, 2.5] }],
    ["plain", "no JSON at all"],
    ["native.said", { from: "native" }],
  ]);
});

it("[PUS-26] two triggers that are alike are two events", async () => {
  await Promise.all([1, 2].map(() => app.server.trigger("alike", "said", { n: 1 })));
  expect(await app.hub.readAll("alike")).toHaveLength(2);
});

it("[PUS-3] a private channel opens to the app's signature and to nothing else", async () => {
  const { heard } = await subscribed(app.client(), "private-room");
  await app.server.trigger("private-room", "secret", { n: 1 });
  expect(await heard.of("secret")).toEqual([{ n: 1 }]);
});

it("[PUS-2] a batch reaches each of its channels in order", async () => {
  const one = app.client();
  const [a, b] = [await subscribed(one, "batch-a"), await subscribed(one, "batch-b")];
  await app.server.triggerBatch([
    { channel: "batch-a", name: "first", data: { n: 1 } },
    { channel: "batch-b", name: "first", data: { n: 2 } },
    { channel: "batch-a", name: "second", data: { n: 3 } },
  ]);
  await a.heard.of("second");
  expect(a.heard.names().slice(1)).toEqual(["first", "second"]);
  expect(await b.heard.of("first")).toEqual([{ n: 2 }]);
});

it("[PUS-10] the connection that an event came from is not sent it", async () => {
  const [sender, other] = [app.client(), app.client()];
  const [own, theirs] = [await subscribed(sender, "to-others"), await subscribed(other, "to-others")];
  await app.server.trigger("to-others", "moved", { n: 1 }, { socket_id: sender.connection.socket_id });
  await app.server.trigger("to-others", "end", {});
  await own.heard.of("end");
  await theirs.heard.of("end");
  expect([own.heard.names(), theirs.heard.names()].map((names) => names.includes("moved"))).toEqual([false, true]);
});

it("[PUS-11] client events reach the other clients of a private channel, of both protocols, and are not kept", async () => {
  const [one, other] = [app.client(), app.client()];
  const [own, theirs] = [await subscribed(one, "private-board"), await subscribed(other, "private-board")];
  const native = await app.hub.connect();
  await native.subscribe("private-board");
  own.channel.trigger("client-drawn", { x: 1, text: "ü" });
  expect(await theirs.heard.of("client-drawn")).toEqual([{ x: 1, text: "ü" }]);
  await native.until((messages) => messages.some(({ op }) => op === "client_event"), "the client event");
  expect(native.messages.find(({ op }) => op === "client_event")).toMatchObject({
    event: { type: "client-drawn", data: { x: 1 } },
  });
  native.send({ op: "publish", topic: "private-board", event: { type: "client-replied", data: { y: 2 } } });
  expect(await own.heard.of("client-replied")).toEqual([{ y: 2 }]);
  expect(own.heard.names()).not.toContain("client-drawn");
  expect(await app.hub.readAll("private-board")).toEqual([]);
});

it("[PUS-11] more client events than a connection may send are refused: 4301, and it stays open", async () => {
  const one = app.client();
  const { channel, heard } = await subscribed(one, "private-flood");
  const errors = new Promise<unknown>((resolve) => {
    one.connection.bind("error", resolve);
  });
  for (let sent = 0; sent < 50; sent += 1) channel.trigger("client-x", { sent });
  expect(await errors).toMatchObject({ data: { code: 4301 } });
  await app.server.trigger("private-flood", "still", {});
  await heard.of("still");
});

it("[PUS-12] an encrypted channel is relayed: pusher-js opens what the server library sealed", async () => {
  const sealing = pusherServer(app.hub, app.key, { encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString("base64") });
  const one = app.keep(pusherClient(app.hub, app.key.key, sealing));
  const { heard } = await subscribed(one, "private-encrypted-vault");
  await sealing.trigger("private-encrypted-vault", "gold", { ounces: 12 });
  expect(await heard.of("gold")).toEqual([{ ounces: 12 }]);
  const [event] = await app.hub.readAll("private-encrypted-vault");
  expect(Object.keys(event!.data as object)).toEqual(["nonce", "ciphertext"]);
});

it("[PUS-13] a cache channel sends its last event first, or says that there is none", async () => {
  const empty = await subscribed(app.client(), "cache-weather");
  await empty.heard.of("pusher:cache_miss");
  await app.server.trigger("cache-weather", "sunny", { degrees: 20 });
  await app.server.trigger("cache-weather", "rainy", { degrees: 12 });
  const late = await subscribed(app.client(), "cache-weather");
  expect(await late.heard.of("rainy")).toEqual([{ degrees: 12 }]);
  expect(late.heard.names()).toEqual([SUBSCRIBED, "rainy"]);
});

it("[PUS-14] a user signs in, and on its own channel hears what is sent to it, on every connection of its", async () => {
  const [one, other, stranger] = [
    app.client({ user: { id: "u1" } }),
    app.client({ user: { id: "u1" } }),
    app.client({ user: { id: "u2" } }),
  ];
  const heard = [];
  for (const each of [one, other, stranger]) {
    await signIn(each);
    heard.push(new Heard(each.user));
  }
  await app.server.sendToUser("u1", "hello", { to: "u1" });
  await app.server.sendToUser("u2", "hello", { to: "u2" });
  for (const [index, to] of ["u1", "u1", "u2"].entries()) expect(await heard[index]!.of("hello")).toEqual([{ to }]);
});

it("[PUS-14] a socket from before its user's revocation signs nobody in: pusher-js comes again, and the app is asked anew", async () => {
  const kept = app.client({ user: { id: "u3" } });
  const before = await connected(kept);
  expect((await app.hub.json("POST", "/v1/revocations", { user: "u3" })).status).toBe(201);
  const states = new Heard(kept.connection);
  kept.signin();
  await new Promise<void>((resolve) => kept.bind("pusher:signin_success", () => resolve()));
  expect(states.names()).toContain("connecting");
  expect(kept.connection.socket_id).not.toBe(before);
});

it("[PUS-15] the server library ends a user's connections, and those of nobody else", async () => {
  const managing = await makePusherKey(app.hub, { scopes: ["admin"] });
  const manager = pusherServer(app.hub, managing);
  const enter = (id: string): Promise<Pusher> =>
    signIn(app.keep(pusherClient(app.hub, managing.key, manager, { user: { id } })));
  const [ended, spared] = [await enter("leaving"), await enter("staying")];
  const closed = new Promise<unknown>((resolve) => {
    ended.connection.bind("error", resolve);
  });
  await manager.terminateUserConnections("leaving");
  expect(await closed).toMatchObject({ data: { code: 4009 } });
  const { heard } = await subscribed(spared, "still-here");
  await manager.trigger("still-here", "hello", {});
  await heard.of("hello");
  expect(ended.connection.state).toBe("disconnected");
});

it.each([[["subscribe:**", "publish:**", "presence:**"]], [["manage:still-*", "publish:**", "subscribe:**"]]])(
  "[PUS-15] and by no key with %j, which may not manage every topic",
  async (scopes) => {
    const narrow = await makePusherKey(app.hub, { scopes });
    const server = pusherServer(app.hub, narrow);
    const spared = await signIn(app.client({ user: { id: "spared" } }));
    await expect(server.terminateUserConnections("spared")).rejects.toMatchObject({ status: 403 });
    const { heard } = await subscribed(spared, "still-there");
    await app.server.trigger("still-there", "hello", {});
    await heard.of("hello");
    expect(spared.connection.state).toBe("connected");
  },
);
