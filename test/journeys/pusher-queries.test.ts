import { afterAll, beforeAll, expect, it } from "vitest";
import { makePusherKey, PusherApp, pusherServer, subscribed } from "../builders/pusher.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let app: PusherApp;

beforeAll(async () => {
  app = await PusherApp.open();
  for (const id of ["ann", "bob", "bob"]) await subscribed(app.member(id), "presence-room");
  for (const id of ["ann", "bob"]) await subscribed(app.member(id), "news");
  await subscribed(app.member("ann"), "cache-weather");
});
afterAll(() => app.close());

const get = async (path: string, params: Record<string, string> = {}): Promise<unknown> =>
  (await app.server.get({ path, params })).json();

it("[PUS-18] the server library learns which channels are occupied, and by how many users", async () => {
  expect(await get("/channels")).toEqual({ channels: { "cache-weather": {}, news: {}, "presence-room": {} } });
  expect(await get("/channels", { filter_by_prefix: "presence-", info: "user_count" })).toEqual({
    channels: { "presence-room": { user_count: 2 } },
  });
  expect(await get("/channels", { filter_by_prefix: "nothing-" })).toEqual({ channels: {} });
});

it("[PUS-18] and of one channel all that it has", async () => {
  const room = await get("/channels/presence-room", { info: "user_count,subscription_count" });
  expect(room).toEqual({ occupied: true, user_count: 2, subscription_count: 3 });
  expect(await get("/channels/news", { info: "subscription_count" })).toEqual({
    occupied: true,
    subscription_count: 2,
  });
  expect(await get("/channels/nobody-here")).toEqual({ occupied: false });
  expect(await get("/channels/cache-weather", { info: "cache" })).toEqual({ occupied: true, cache: null });
  await app.server.trigger("cache-weather", "sunny", { degrees: 20 });
  expect(await get("/channels/cache-weather", { info: "cache" })).toMatchObject({ cache: { data: '{"degrees":20}' } });
});

it("[PUS-18] and who is present", async () => {
  expect(await get("/channels/presence-room/users")).toEqual({ users: [{ id: "ann" }, { id: "bob" }] });
  expect(await get("/channels/presence-empty/users")).toEqual({ users: [] });
});

it("[PUS-18] and beside an event or a batch what it asks of their channels", async () => {
  const one = await app.server.trigger(["news", "presence-room"], "e", {}, { info: "subscription_count,user_count" });
  expect(await one.json()).toEqual({
    channels: { news: { subscription_count: 2 }, "presence-room": { subscription_count: 3, user_count: 2 } },
  });
  const batch = await app.server.triggerBatch([
    { channel: "news", name: "e", data: {}, info: "subscription_count" } as never,
    { channel: "presence-room", name: "e", data: {} },
  ]);
  expect(await batch.json()).toEqual({ batch: [{ subscription_count: 2 }, {}] });
});

it.each([
  ["/channels", { info: "user_count" }],
  ["/channels", { filter_by_prefix: "presence-", info: "subscription_count" }],
  ["/channels/news", { info: "user_count" }],
  ["/channels/news", { info: "cache" }],
  ["/channels/news", { info: "nonsense" }],
  ["/channels/news/users", {}],
  ["/channels/a b", {}],
])("[PUS-18] what %s %j does not have is a bad request", async (path, params) => {
  await expect(app.server.get({ path, params: params as Record<string, string> })).rejects.toMatchObject({
    status: 400,
  });
});

it("[PUS-18] a key sees no channel beyond its scopes", async () => {
  const narrow = pusherServer(app.hub, await makePusherKey(app.hub, { scopes: ["subscribe:news"] }));
  const list = (await (await narrow.get({ path: "/channels" })).json()) as unknown;
  expect(list).toEqual({ channels: { news: {} } });
  await expect(narrow.get({ path: "/channels/presence-room" })).rejects.toMatchObject({ status: 403 });
});

it("[PUS-18] a key that may only publish, or not be present, learns no more of a channel by sending to it", async () => {
  const scopes = ["publish:**", "subscribe:presence-room"];
  const narrow = pusherServer(app.hub, await makePusherKey(app.hub, { scopes }));
  const info = "subscription_count,user_count,cache";
  const sent = await narrow.trigger(["cache-weather", "presence-room"], "e", {}, { info });
  expect(await sent.json()).toEqual({ channels: { "cache-weather": {}, "presence-room": { subscription_count: 3 } } });
  await expect(narrow.get({ path: "/channels/presence-room/users" })).rejects.toMatchObject({ status: 403 });
});

it("[PUS-16] webhooks of channels and members are valid for the server library", async () => {
  const sink = await Sink.open();
  const target = { kind: "pusher", url: sink.url, key: app.key.key };
  const topics = ["$system.channels", "$system.presence"];
  const put = await app.hub.json("PUT", "/v1/subscriptions/pusher-webhooks", { topics, target, ordering: "key" });
  expect(put.status).toBe(201);
  const visitor = app.member("cat");
  await subscribed(visitor, "presence-hooks");
  const miss = app.member("dan");
  await subscribed(miss, "cache-hooks");
  visitor.disconnect();
  miss.disconnect();
  const wanted = ["channel_occupied", "member_added", "cache_miss", "member_removed", "channel_vacated"];
  const seen = (): { name: string; channel: string }[] =>
    sink.deliveries.flatMap(({ headers, body }) => {
      const webhook = app.server.webhook({ headers: headers as never, rawBody: body });
      expect(webhook.isValid()).toBe(true);
      return webhook.getEvents() as unknown as { name: string; channel: string }[];
    });
  const names = (): string[] => seen().flatMap(({ name, channel }) => (channel.endsWith("-hooks") ? [name] : []));
  await eventually(names, (found) => wanted.every((name) => found.includes(name)), "every webhook");
  expect(seen().find(({ name }) => name === "member_added")).toMatchObject({
    channel: "presence-hooks",
    user_id: "cat",
  });
  await sink.close();
});
