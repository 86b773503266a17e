import { afterAll, beforeAll, expect, it } from "vitest";
import { connected, PusherApp, subscribed } from "../builders/pusher.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const TOPIC = "$system.client-events";

let app: PusherApp;

beforeAll(async () => {
  app = await PusherApp.open();
  const told = { topics: ["private-told", "presence-told"], retention: { clientEvents: "announced" } };
  const put = await app.hub.json("PUT", "/v1/policies/told", told);
  expect(put).toMatchObject({ status: 201, body: { retention: { clientEvents: "announced" } } });
});
afterAll(() => app.close());

it("[PUS-22] webhooks of client events are valid for the server library, where the channel's topic wants them", async () => {
  const sink = await Sink.open();
  const target = { kind: "pusher", url: sink.url, key: app.key.key };
  const definition = { topics: [TOPIC], target, ordering: "key" };
  expect((await app.hub.json("PUT", "/v1/subscriptions/client-events", definition)).status).toBe(201);

  const [ann, bob] = [app.member("ann"), app.member("bob")];
  const socket = await connected(ann);
  for (const name of ["private-silent", "private-told", "presence-told"]) {
    const [{ channel }, { heard }] = [await subscribed(ann, name), await subscribed(bob, name)];
    channel.trigger("client-typing", { at: name });
    expect(await heard.of("client-typing")).toEqual([{ at: name }]);
  }
  const hooks = (): unknown[] =>
    sink.deliveries.flatMap(({ headers, body }) => {
      const webhook = app.server.webhook({ headers: headers as never, rawBody: body });
      expect(webhook.isValid()).toBe(true);
      return webhook.getEvents();
    });
  const hook = (channel: string, more: object): object => ({
    name: "client_event",
    channel,
    event: "client-typing",
    data: JSON.stringify({ at: channel }),
    socket_id: socket,
    ...more,
  });
  const wanted = [hook("private-told", {}), hook("presence-told", { user_id: "ann" })];
  await eventually(hooks, (found) => found.length >= wanted.length, "both webhooks");
  expect(hooks()).toHaveLength(wanted.length);
  expect(hooks()).toEqual(expect.arrayContaining(wanted));
  await sink.close();
});

it("[CHN-18] what is announced is relayed as ever, kept nowhere but in the hub's own topic, each once and in order", async () => {
  const [sender, other] = await Promise.all([app.hub.connect(), app.hub.connect()]);
  await app.hub.json("PUT", "/v1/topics/private-native", { retention: { clientEvents: "announced" } });
  for (const each of [sender, other]) await each.subscribe("private-native");
  for (const data of [1, 2, 3]) {
    const event = { type: "client-drawn", data };
    const answer = await sender.ask({ op: "publish", topic: "private-native", event });
    expect(answer).toMatchObject({ op: "published", receipt: { stored: false } });
  }
  const announced = async (): Promise<unknown[]> =>
    (await app.hub.readAll(TOPIC)).filter(({ subject }) => subject === "private-native").map(({ data }) => data);
  await eventually(announced, (found) => found.length >= 3, "three announcements");
  const event = (data: number): unknown =>
    expect.objectContaining({ type: "client-drawn", topic: "private-native", data });
  expect(await announced()).toEqual(
    [1, 2, 3].map((data) => ({
      channel: "private-native",
      connection: expect.any(String) as unknown,
      event: event(data),
    })),
  );
  expect(await app.hub.readAll("private-native")).toEqual([]);
  const signals = ({ op }: { op: string }): boolean => op === "client_event";
  await other.until((messages) => messages.filter(signals).length === 3, "all three");
  await Promise.all([sender.close(), other.close()]);
});
