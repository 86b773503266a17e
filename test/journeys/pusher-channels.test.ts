import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type PusherServer from "pusher";
import type Pusher from "pusher-js";
import {
  connected,
  makePusherKey,
  pusherClient,
  pusherServer,
  subscribed,
  type PusherKey,
  type Says,
} from "../builders/pusher.ts";
import { startHub, type Hub } from "../harness/hub.ts";

let hub: Hub;
let key: PusherKey;
let server: PusherServer;
const clients: Pusher[] = [];

beforeAll(async () => {
  hub = await startHub();
  key = await makePusherKey(hub);
  server = pusherServer(hub, key);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => hub.close());

function client(says: Says = {}, more: object = {}): Pusher {
  const made = pusherClient(hub, key.key, server, says, more);
  clients.push(made);
  return made;
}

it("[PUS-1] pusher-js connects, and its socket_id is what the server library takes", async () => {
  const socketId = await connected(client());
  expect(socketId).toMatch(/^\d+\.\d+$/);
});

it("[PUS-2] what the server library triggers on a public channel reaches pusher-js and native readers alike", async () => {
  const { heard } = await subscribed(client(), "news");
  const native = await hub.connect();
  await native.subscribe("news");
  await server.trigger("news", "headline", { title: "Good", n: [1, 2.5] });
  await server.trigger("news", "plain", "no JSON at all");
  await hub.publish("news", { type: "native.said", data: { from: "native" } });
  expect(await heard.of("headline")).toEqual([{ title: "Good", n: [1, 2.5] }]);
  expect(await heard.of("plain")).toEqual(["no JSON at all"]);
  expect(await heard.of("native.said")).toEqual([{ from: "native" }]);
  const events = await hub.readAll("news");
  expect(events.map(({ type, data }) => [type, data])).toEqual([
    ["headline", { title: "Good", n: [1, 2.5] }],
    ["plain", "no JSON at all"],
    ["native.said", { from: "native" }],
  ]);
});

it("[PUS-3] a private channel opens to the app's signature and to nothing else", async () => {
  const { heard } = await subscribed(client(), "private-room");
  await server.trigger("private-room", "secret", { n: 1 });
  expect(await heard.of("secret")).toEqual([{ n: 1 }]);
});

it("[PUS-2] a batch reaches each of its channels in order", async () => {
  const one = client();
  const [a, b] = [await subscribed(one, "batch-a"), await subscribed(one, "batch-b")];
  await server.triggerBatch([
    { channel: "batch-a", name: "first", data: { n: 1 } },
    { channel: "batch-b", name: "first", data: { n: 2 } },
    { channel: "batch-a", name: "second", data: { n: 3 } },
  ]);
  await a.heard.of("second");
  expect(a.heard.names().slice(1)).toEqual(["first", "second"]);
  expect(await b.heard.of("first")).toEqual([{ n: 2 }]);
});
