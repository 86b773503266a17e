import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "1" } }); // Each socket is in a hub of its own.
});
afterAll(() => hub.close());

async function connectWith(scopes: readonly string[], user?: object): Promise<TestSocket> {
  const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", { scopes, ttl: "5m", user });
  return TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${body.token}`);
}

const typing = (topic: string, more: object = {}) => ({
  op: "publish",
  topic,
  event: { type: "client-typing", data: { at: 1 }, ...more },
});

const signals = (socket: TestSocket) => socket.messages.filter(({ op }) => op === "client_event");

/** What is sent first arrives first: when the marker is here, so is all that was sent to the channel before it. */
async function settle(topic: string, sockets: readonly TestSocket[]): Promise<void> {
  const { body } = await hub.publish(topic, { type: "marker" });
  const { id } = body.events[0]!;
  for (const socket of sockets) await socket.message(({ event }) => event?.id === id, "the marker");
}

describe("client events", () => {
  it("[CHN-4] go to all others who follow the channel, are in no log, and count for no quota", async () => {
    const topic = "private-room";
    const [sender, one, two] = await Promise.all([hub.connect(), hub.connect(), hub.connect()]);
    for (const socket of [sender, one, two]) await socket.subscribe(topic);
    const answer = await sender.ask(typing(topic, { subject: "s" }));
    expect(answer).toMatchObject({ op: "published", receipt: { topic, stored: false } });
    await settle(topic, [sender, one, two]);
    expect(signals(sender)).toEqual([]);
    for (const socket of [one, two]) {
      expect(signals(socket)).toHaveLength(1);
      expect(signals(socket)[0]).toMatchObject({
        topic,
        event: { specversion: "1.0", type: "client-typing", data: { at: 1 }, subject: "s", topic },
      });
      expect(signals(socket)[0]!.event).not.toHaveProperty("offset");
    }
    expect((await hub.readAll(topic)).map(({ type }) => type)).toEqual(["marker"]);
  });

  it("[CHN-4] keep the order of their channel, among themselves and behind what was appended before", async () => {
    const topic = "presence-order";
    const [sender, reader] = await Promise.all([hub.connect(), hub.connect()]);
    for (const socket of [sender, reader]) await socket.subscribe(topic);
    for (let n = 1; n <= 8; n += 1) {
      sender.send({ op: "publish", topic, event: { type: "kept", data: n } });
      sender.send(typing(topic, { data: n }));
    }
    const seen = () => reader.messages.filter(({ op }) => op === "event" || op === "client_event");
    await reader.until(() => seen().length === 16, "both kinds");
    expect(seen().map(({ op, event }) => [op, event!.data])).toEqual(
      Array.from({ length: 8 }, (_, index) => [
        ["event", index + 1],
        ["client_event", index + 1],
      ]).flat(),
    );
  });

  it("[CHN-4] say who sent them on presence channels only, and pass filters", async () => {
    for (const [topic, user] of [
      ["presence-who", "ada"],
      ["private-who", undefined],
    ] as const) {
      const sender = await connectWith([`publish:${topic}`, `subscribe:${topic}`], { id: "ada" });
      const [all, some] = await Promise.all([hub.connect(), hub.connect()]);
      await sender.subscribe(topic);
      await all.subscribe(topic);
      await some.subscribe(topic, { filter: { data: { at: [2] } } });
      await sender.ask(typing(topic));
      await sender.ask(typing(topic, { data: { at: 2 } }));
      await all.until(() => signals(all).length === 2);
      await some.until(() => signals(some).length === 1);
      expect(signals(all).map((message) => message["user"])).toEqual([user, user]);
      expect(signals(some)[0]!.event!.data).toEqual({ at: 2 });
    }
  });

  it("[CHN-5] are refused elsewhere, from who does not follow, and without the scope to publish", async () => {
    const follower = await connectWith(["subscribe:**"]);
    await follower.subscribe("private-quiet");
    expect(await follower.ask(typing("private-quiet"))).toMatchObject({ problem: { code: "scope_missing" } });
    const socket = await hub.connect();
    for (const topic of ["open", "private-encrypted-x"]) {
      await socket.subscribe(topic);
      expect(await socket.ask(typing(topic))).toMatchObject({ problem: { code: "client_event_refused" } });
    }
    expect(await socket.ask(typing("private-quiet"))).toMatchObject({ problem: { code: "client_event_refused" } });
    await socket.subscribe("private-quiet");
    const bad = await socket.ask(typing("private-quiet", { nonsense: 1 }));
    expect(bad).toMatchObject({ problem: { code: "event_invalid" } });
    await settle("private-quiet", [socket, follower]);
    expect(signals(follower)).toEqual([]);
  });

  it("[CHN-6] one more than ten at once is refused with the limit, and the socket stays", async () => {
    const topic = "private-flood";
    const [sender, reader] = await Promise.all([hub.connect(), hub.connect()]);
    for (const socket of [sender, reader]) await socket.subscribe(topic);
    const max = LIMITS.CLIENT_EVENTS_PER_SECOND;
    sender.send(Array.from({ length: 100 }, (_, n) => ({ ...typing(topic, { data: n }), ref: n })));
    await sender.until((messages) => messages.filter(({ ref }) => typeof ref === "number").length === 100);
    const refused = sender.messages.filter(({ op }) => op === "error");
    expect(refused[0]).toMatchObject({
      problem: { code: "too_many_client_events", limit: max, retryable: true, effect: "none" },
      retryAfterSeconds: 1,
    });
    await settle(topic, [reader, sender]);
    expect(signals(reader).length).toBe(100 - refused.length);
    expect(signals(reader).length).toBeGreaterThanOrEqual(max);
    expect(refused.length).toBeGreaterThan(0);
  });
});

describe("an exclusion", () => {
  it("[CHN-8] keeps a stored event from one connection, live and in its backlog, and from nobody else", async () => {
    const topic = "board";
    const [own, other] = await Promise.all([hub.connect(), hub.connect()]);
    for (const socket of [own, other]) await socket.subscribe(topic);
    const { connection } = own.messages.find(({ op }) => op === "welcome")! as unknown as { connection: string };
    await hub.publish(topic, [
      { type: "moved", data: 1, exclude: connection },
      { type: "moved", data: 2 },
    ]);
    await own.ask({ op: "publish", topic, event: { type: "moved", data: 3 }, echo: false });
    await own.ask({ op: "publish", topic, event: { type: "moved", data: 4 } });
    await settle(topic, [own, other]);
    const data = (socket: TestSocket) => socket.events(topic).flatMap((event) => event.data ?? []);
    expect([data(own), data(other)]).toEqual([
      [2, 4],
      [1, 2, 3, 4],
    ]);
    await own.ask({ op: "unsubscribe", topic });
    await own.subscribe(topic, { from: "earliest" });
    await own.until((messages) => messages.filter(({ op }) => op === "caught_up").length === 2);
    expect(data(own)).toEqual([2, 4, 2, 4]);
    const stored = await hub.readAll(topic);
    expect(stored.flatMap((event) => event.data ?? [])).toEqual([1, 2, 3, 4]);
    expect(JSON.stringify(stored)).not.toContain(connection);
  });

  it("[CHN-8] is no attribute that a producer can bring, and is part of no event's identity", async () => {
    const draft = { id: "same", type: "moved", data: 1 };
    await hub.publish("identity", { ...draft, exclude: "somebody" });
    const { body } = await hub.publish("identity", draft);
    expect(body.events[0]!.duplicate).toBe(true);
    const { status } = await hub.publish("identity", { type: "moved", exclude: "a b" });
    expect(status).toBe(422);
    const event = { specversion: "1.0", id: "ce", source: "/a", type: "moved", excludes: "0123" };
    await hub.publish("identity", event, { "content-type": "application/cloudevents+json" });
    expect(JSON.stringify((await hub.readAll("identity")).at(-1))).not.toContain("excludes");
  });
});

describe("a cache channel", () => {
  it("[CHN-3] sends its last event to who begins to follow, and then what comes", async () => {
    const topic = "private-cache-rates";
    await hub.publish(topic, [
      { type: "rate", data: 1 },
      { type: "rate", data: 2 },
    ]);
    const socket = await hub.connect();
    await socket.subscribe(topic);
    await socket.message(({ op }) => op === "caught_up");
    await hub.publish(topic, { type: "rate", data: 3 });
    await socket.until(() => socket.events(topic).length === 2);
    expect(socket.events(topic).map(({ data }) => data)).toEqual([2, 3]);
    expect(socket.messages.map(({ op }) => op)).toEqual(["welcome", "subscribed", "event", "caught_up", "event"]);
    const resumed = await hub.connect();
    await resumed.subscribe(topic, { from: `cursor:${socket.cursor(topic)}` });
    await resumed.message(({ op }) => op === "caught_up");
    expect(resumed.events(topic), "who resumes has seen it").toEqual([]);
  });
});
