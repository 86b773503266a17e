import type Pusher from "pusher-js";
import type { PresenceChannel } from "pusher-js";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { connected, Heard, PusherApp, SUBSCRIBED, subscribed } from "../builders/pusher.ts";
import { TestSocket } from "../harness/socket.ts";

let app: PusherApp;

beforeAll(async () => {
  app = await PusherApp.open();
});
afterEach(() => app.leave());
afterAll(() => app.close());

const member = (id: string): Pusher => app.member(id, { name: id.toUpperCase() });

interface Entered {
  readonly client: Pusher;
  readonly heard: Heard;
  /** Ids that the library knows of now. */
  ids(): string[];
}

async function enter(client: Pusher, name: string): Promise<Entered> {
  const { channel, heard } = await subscribed(client, name);
  const ids = (): string[] => Object.keys((channel as PresenceChannel).members.members as object).toSorted();
  return { client, heard, ids };
}

it("[PUS-17] members see each other come and go, and two tabs of a user are one member", async () => {
  const ann = await enter(member("ann"), "presence-room");
  expect([ann.ids(), ann.heard.events[0]]).toMatchObject([
    ["ann"],
    { data: { count: 1, me: { id: "ann", info: { name: "ANN" } } } },
  ]);
  const bob = await enter(member("bob"), "presence-room");
  expect(bob.ids()).toEqual(["ann", "bob"]);
  expect(await ann.heard.of("pusher:member_added")).toEqual([{ id: "bob", info: { name: "BOB" } }]);
  const bobAgain = await enter(member("bob"), "presence-room");
  expect(bobAgain.ids()).toEqual(["ann", "bob"]);
  bob.client.disconnect();
  const cat = await enter(member("cat"), "presence-room");
  await ann.heard.of("pusher:member_added", 2);
  expect(cat.ids()).toEqual(["ann", "bob", "cat"]);
  bobAgain.client.unsubscribe("presence-room");
  expect(await ann.heard.of("pusher:member_removed")).toEqual([{ id: "bob", info: { name: "BOB" } }]);
  expect(ann.heard.names()).toEqual([
    SUBSCRIBED,
    "pusher:member_added",
    "pusher:member_added",
    "pusher:member_removed",
  ]);
  await cat.heard.of("pusher:member_removed");
  expect([ann.ids(), cat.ids()]).toEqual([
    ["ann", "cat"],
    ["ann", "cat"],
  ]);
});

it("[PUS-17] clients of both protocols are members of one channel", async () => {
  const token = await app.hub.json<{ token: string }>("POST", "/v1/tokens", {
    scopes: ["subscribe:presence-*", "presence:presence-*"],
    user: { id: "nat", data: { name: "Native" } },
    ttl: "5m",
  });
  const native = await TestSocket.open(`${app.hub.url.replace("http", "ws")}/v1/connect?token=${token.body.token}`);
  const answer = await native.ask({ op: "subscribe", topic: "presence-both", presence: {} });
  expect(answer["members"]).toEqual([{ id: "nat", data: { name: "Native" } }]);
  const ann = await enter(member("ann"), "presence-both");
  expect(ann.ids()).toEqual(["ann", "nat"]);
  await native.until((messages) => messages.some(({ op }) => op === "member_added"), "ann");
  expect(native.messages.find(({ op }) => op === "member_added")).toMatchObject({
    member: { id: "ann", data: { name: "ANN" } },
  });
  const { body } = await app.hub.json<{ items: { id: string }[] }>("GET", "/v1/channels/presence-both/members");
  expect(body.items.map(({ id }) => id)).toEqual(["ann", "nat"]);
  await native.close();
  expect(await ann.heard.of("pusher:member_removed")).toMatchObject([{ id: "nat" }]);
});

it("[PUS-17] a client event on a presence channel says who sent it", async () => {
  const [ann, bob] = [await enter(member("ann"), "presence-talk"), await enter(member("bob"), "presence-talk")];
  const sender = new Promise<unknown>((resolve) => {
    bob.client.channel("presence-talk").bind("client-typing", (_data: unknown, meta: unknown) => resolve(meta));
  });
  ann.client.channel("presence-talk").trigger("client-typing", {});
  expect(await sender).toEqual({ user_id: "ann" });
});

it("[PUS-25] a revoked user's connections end where it is a member by a channel's signature, and no others", async () => {
  const [ann, bob] = [await enter(member("ann"), "presence-door"), await enter(member("bob"), "presence-door")];
  await ann.heard.of("pusher:member_added");
  const closed = new Promise<unknown>((resolve) => {
    bob.client.connection.bind("error", resolve);
  });
  // It has come before the revocation, and asks for its member after it.
  const late = member("bob");
  const before = await connected(late);
  expect((await app.hub.json("POST", "/v1/revocations", { user: "bob" })).status).toBe(201);
  expect(await closed).toMatchObject({ data: { code: 4009 } });
  expect(await ann.heard.of("pusher:member_removed")).toMatchObject([{ id: "bob" }]);
  const again = await enter(late, "presence-door");
  expect(late.connection.socket_id).not.toBe(before);
  expect(again.ids()).toEqual(["ann", "bob"]);
  expect(ann.client.connection.state).toBe("connected");
});

it("[PUS-17] nobody enters as somebody whom the app did not sign for", async () => {
  const liar = app.client(
    {},
    {
      channelAuthorization: {
        customHandler: (
          { socketId, channelName }: { socketId: string; channelName: string },
          callback: (...args: unknown[]) => void,
        ) => {
          const signed = app.server.authorizeChannel(socketId, channelName, { user_id: "mallory" });
          callback(null, { ...signed, channel_data: JSON.stringify({ user_id: "ann" }) });
        },
      },
    },
  );
  const heard = new Heard(liar.subscribe("presence-room"));
  expect(await heard.of("pusher:subscription_error")).toMatchObject([{ status: 401 }]);
});
