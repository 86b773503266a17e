import type PusherServer from "pusher";
import type Pusher from "pusher-js";
import type { PresenceChannel } from "pusher-js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import {
  connected,
  Heard,
  makePusherKey,
  pusherClient,
  pusherServer,
  subscribed,
  type PusherKey,
} from "../builders/pusher.ts";
import { startHub, type Hub } from "../harness/hub.ts";

const HUB = objectName("hub", "app_default", "pusher", "any", 0);

let hub: Hub;
let key: PusherKey;
let server: PusherServer;
const clients: Pusher[] = [];

beforeAll(async () => {
  hub = await startHub();
  key = await makePusherKey(hub);
  server = pusherServer(hub, key);
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await hub.close();
});

async function signedIn(id: string): Promise<Pusher> {
  const made = pusherClient(hub, key.key, server, { member: { user_id: id }, user: { id } });
  clients.push(made);
  await connected(made);
  made.signin();
  await new Promise<void>((resolve) => made.bind("pusher:signin_success", () => resolve()));
  return made;
}

/** An object that is not in memory cannot be taken out of it: the runtime says so. */
const isAwake = (): Promise<boolean> =>
  hub.evict("ChannelHub", HUB).then(
    () => true,
    () => false,
  );

it("[PUS-20] a ping is answered, and a hub that sleeps is not woken by it", async () => {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/app/${key.key}?protocol=7`);
  const said: string[] = [];
  let wake: () => void = () => {};
  socket.addEventListener("message", ({ data }) => {
    said.push(data as string);
    wake();
  });
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  await next();
  await hub.evict("ChannelHub", HUB);
  const answered = next();
  socket.send('{"event":"pusher:ping","data":{}}'); // The bytes of pusher-js.
  await answered;
  expect(said.at(-1)).toBe('{"event":"pusher:pong","data":"{}"}');
  expect(await isAwake()).toBe(false);
  socket.close();
});

it("[PUS-20] a hub that was thrown out of memory knows its channels, members and users as before", async () => {
  const [ann, bob] = [await signedIn("ann"), await signedIn("bob")];
  const news = await subscribed(ann, "news");
  const desk = await subscribed(ann, "private-desk");
  const [hers, his] = [await subscribed(ann, "presence-room"), await subscribed(bob, "presence-room")];
  await hers.heard.of("pusher:member_added");
  const own = new Heard(ann.user);
  await hub.evict("ChannelHub", HUB);

  await server.trigger(["news", "private-desk"], "awake", { n: 1 });
  for (const { heard } of [news, desk]) expect(await heard.of("awake")).toEqual([{ n: 1 }]);
  await server.sendToUser("ann", "to-ann", { n: 2 });
  expect(await own.of("to-ann")).toEqual([{ n: 2 }]);
  his.channel.trigger("client-wave", { n: 3 });
  expect(await hers.heard.of("client-wave")).toEqual([{ n: 3 }]);
  bob.disconnect();
  expect(await hers.heard.of("pusher:member_removed")).toMatchObject([{ id: "bob" }]);
  expect(Object.keys((hers.channel as PresenceChannel).members.members as object)).toEqual(["ann"]);
});
