import type Pusher from "pusher-js";
import type { PresenceChannel } from "pusher-js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { Heard, PusherApp, signIn, subscribed } from "../builders/pusher.ts";

const HUB = objectName("hub", "app_default", "pusher", "any", 0);

let app: PusherApp;

beforeAll(async () => {
  app = await PusherApp.open();
});
afterAll(() => app.close());

const signedIn = (id: string): Promise<Pusher> => signIn(app.client({ member: { user_id: id }, user: { id } }));

/** An object that is not in memory cannot be taken out of it: the runtime says so. */
const isAwake = (): Promise<boolean> =>
  app.hub.evict("ChannelHub", HUB).then(
    () => true,
    () => false,
  );

it("[PUS-20] a ping is answered, and a hub that sleeps is not woken by it", async () => {
  const socket = new WebSocket(`${app.hub.url.replace("http", "ws")}/app/${app.key.key}?protocol=7`);
  const said: string[] = [];
  let wake: () => void = () => {};
  socket.addEventListener("message", ({ data }) => {
    said.push(data as string);
    wake();
  });
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  await next();
  await app.hub.evict("ChannelHub", HUB);
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
  await app.hub.evict("ChannelHub", HUB);

  await app.server.trigger(["news", "private-desk"], "awake", { n: 1 });
  for (const { heard } of [news, desk]) expect(await heard.of("awake")).toEqual([{ n: 1 }]);
  await app.server.sendToUser("ann", "to-ann", { n: 2 });
  expect(await own.of("to-ann")).toEqual([{ n: 2 }]);
  his.channel.trigger("client-wave", { n: 3 });
  expect(await hers.heard.of("client-wave")).toEqual([{ n: 3 }]);
  bob.disconnect();
  expect(await hers.heard.of("pusher:member_removed")).toMatchObject([{ id: "bob" }]);
  expect(Object.keys((hers.channel as PresenceChannel).members.members as object)).toEqual(["ann"]);
});
