/** When a client comes back, and when it does not: a scripted hub, and time that the test moves. */
import { afterEach, expect, it, vi } from "vitest";
import { createHub, type Hub, type Item } from "../../src/client/client.ts";
import type { AnyDefinition } from "../../src/client/event-definition.ts";
import { ManualClock, settle } from "../../src/testing/manual-clock.ts";
import { scriptedSockets, type ScriptedSocket } from "../builders/scripted-hub.ts";

afterEach(() => vi.unstubAllGlobals());

interface Stage {
  readonly client: Hub;
  readonly clock: ManualClock;
  readonly sockets: ScriptedSocket[];
  /** Requests that the client sent, and what it is told: a problem by code. */
  readonly requests: string[];
  readonly errors: string[];
}

function open({ refusal = "upgrade_required", token = "t" } = {}): Stage {
  const clock = new ManualClock();
  const { sockets, WebSocket } = scriptedSockets();
  const requests: string[] = [];
  const errors: string[] = [];
  const fetch = async (url: string) => {
    requests.push(new URL(url).pathname);
    const text = async () => JSON.stringify({ code: refusal, title: refusal, retryable: false });
    return { ok: false, status: 400, headers: new Headers(), text };
  };
  const client = createHub({ url: "https://hub.test/", token, clock, WebSocket, fetch });
  client.onError(({ code }) => errors.push(code));
  return { client, clock, sockets, requests, errors };
}

const WELCOME = { op: "welcome", connection: "c1", ackWindow: 1_000 };

/** Answers the last subscribe with the cursor. */
function follow(socket: ScriptedSocket, cursor: string): void {
  const { ref, topic } = socket.sent.findLast(({ op }) => op === "subscribe")!;
  socket.say({ op: "subscribed", ref, topic, cursor }, { op: "caught_up", topic, cursor });
}

const event = (offset: number, cursor: string) => ({ op: "event", topic: "t", cursor, event: { type: "e", offset } });

async function begin(stage: Stage): Promise<ScriptedSocket> {
  stage.client.subscribe("t");
  await settle();
  const socket = stage.sockets.at(-1)!;
  socket.say(WELCOME);
  follow(socket, "A");
  return socket;
}

it("[CLI-10] connects where the hub answers, with its token, and follows", async () => {
  const stage = open({ token: "a+b" });
  const socket = await begin(stage);
  expect(socket.url).toBe("wss://hub.test/v1/connect?token=a%2Bb");
  expect(socket.sent).toEqual([{ op: "subscribe", ref: 1, topic: "t", from: "latest" }]);
  expect(stage.client.state).toBe("open");
});

it("[CLI-10] resumes by the last cursor, and ignores what still comes of the follow before", async () => {
  const stage = open();
  const items: Item<AnyDefinition>[] = [];
  const subscription = stage.client.subscribe("t");
  void (async () => {
    for await (const item of subscription) if (item.kind !== "state") items.push(item);
  })();
  await settle();
  const [first] = stage.sockets as [ScriptedSocket];
  first.say(WELCOME);
  follow(first, "A");
  first.say(event(1, "B"));
  first.end(1_006);
  first.say(event(2, "C"));
  await stage.clock.advance(250);
  const second = stage.sockets[1]!;
  second.say(WELCOME);
  second.say(event(9, "Z"));
  expect(second.sent).toMatchObject([{ op: "subscribe", from: "cursor:B" }]);
  follow(second, "B");
  second.say(event(2, "C"));
  await settle();
  expect(items).toMatchObject([{ event: { offset: 1 } }, { event: { offset: 2 } }]);
});

it("[CLI-10] waits by chance up to a bound that doubles, and begins small again after a good connection", async () => {
  const stage = open();
  stage.clock.chance = 1;
  const socket = await begin(stage);
  await stage.clock.advance(20_000);
  socket.end(1_006);
  const waits: number[] = [];
  for (let tries = 0; tries < 9; tries += 1) {
    waits.push(Math.min(...stage.clock.waits));
    await stage.clock.advance(waits.at(-1)!);
    stage.sockets.at(-1)!.end(1_006);
    await settle();
  }
  expect(waits).toEqual([500, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  stage.clock.chance = 0;
  await stage.clock.advance(30_000);
  stage.sockets.at(-1)!.end(1_006);
  expect(Math.min(...stage.clock.waits)).toBe(0);
});

it.each([4_000, 4_008, 4_401, 4_499, 1_001, 1_006, 1_011, 1_012])("[CLI-10] comes back after %i", async (code) => {
  const clock = new ManualClock();
  const { sockets, WebSocket } = scriptedSockets();
  const client = createHub({ url: "https://hub.test", getToken: () => "t", clock, WebSocket });
  client.subscribe("t");
  await settle();
  sockets[0]!.say(WELCOME);
  sockets[0]!.end(code);
  expect(client.state).toBe("lost");
  await clock.advance(500);
  expect(sockets).toHaveLength(2);
});

it.each([4_500, 4_503, 4_999])("[CLI-10] does not come back after %i, and says what the hub said", async (code) => {
  const stage = open();
  const socket = await begin(stage);
  const subscription = stage.client.subscribe("t");
  socket.say({ op: "error", problem: { code: "origin_not_allowed", title: "no", retryable: false } });
  socket.end(code);
  await stage.clock.advance(3_600_000);
  expect([stage.client.state, stage.sockets.length]).toEqual(["closed", 1]);
  const read = async () => {
    for await (const item of subscription) if (item.kind === "event") break;
  };
  await expect(read()).rejects.toMatchObject({ code: "origin_not_allowed", retryable: false });
});

it("[CLI-10] does not come before the time that the hub has named", async () => {
  const stage = open();
  const socket = await begin(stage);
  const problem = { code: "too_many_frames", title: "slow", retryable: true };
  socket.say({ op: "error", problem, retryAfterSeconds: 7 });
  socket.end(4_029);
  expect(stage.clock.waits).toEqual([7_000]);
});

it("[CLI-9] asks why it was not let in, and gives up when that will not change", async () => {
  const stage = open({ refusal: "scope_missing" });
  stage.client.subscribe("t");
  await settle();
  stage.sockets[0]!.end(1_006);
  await settle();
  expect(stage.requests).toEqual(["/v1/connect"]);
  expect([stage.client.state, stage.errors]).toEqual(["closed", ["scope_missing"]]);
});

it("[CLI-10] pings, and gives up a connection that does not answer", async () => {
  const stage = open();
  const socket = await begin(stage);
  await stage.clock.advance(25_000);
  expect(socket.sent.at(-1)).toEqual({ op: "ping" });
  socket.say({ op: "pong" });
  await stage.clock.advance(35_000);
  expect(socket.sent.filter(({ op }) => op === "ping")).toHaveLength(2);
  expect(stage.client.state).toBe("open");
  await stage.clock.advance(10_000);
  expect([stage.client.state, socket.isClosed]).toEqual(["lost", true]);
});

it("[CLI-10] asks at once when its page wakes, and does not judge by a timer that slept", async () => {
  const stage = open();
  const socket = await begin(stage);
  await stage.clock.advance(25_000); // A ping is on its way,
  stage.clock.sleep(60_000); // the machine sleeps,
  await stage.clock.advance(0); // and its timer comes late.
  expect(stage.client.state).toBe("open");
  expect(socket.sent.filter(({ op }) => op === "ping")).toHaveLength(2);
  await stage.clock.advance(5_000);
  expect(stage.client.state).toBe("lost");
  stage.client.wake();
  await settle();
  expect(stage.sockets).toHaveLength(2);
});

it("[CLI-3] acknowledges a tenth of the window at a time, so that the hub goes on", async () => {
  const stage = open();
  const socket = await begin(stage);
  const acks = () => socket.sent.filter(({ op }) => op === "ack");
  for (let offset = 1; offset <= 99; offset += 1) socket.say(event(offset, `c${offset}`));
  expect(acks()).toEqual([]);
  socket.say(event(100, "c100"));
  socket.say({ ...event(101, "c101"), padding: "x".repeat(300_000) });
  expect(acks()).toEqual([
    { op: "ack", topic: "t", cursor: "c100" },
    { op: "ack", topic: "t", cursor: "c101" },
  ]);
});

it("[CLI-4] begins a reader where it asks, on a channel that another has left in its past", async () => {
  const { client, sockets } = open();
  client.presence.subscribe("presence-t", () => undefined);
  await settle();
  const socket = sockets[0]!;
  socket.say(WELCOME);
  follow(socket, "A");
  const past = client.subscribe("presence-t", { from: "earliest" });
  socket.say({ op: "subscribed", ref: socket.sent.at(-1)!.ref, topic: "presence-t", cursor: "0" });
  await past.return();
  client.subscribe("presence-t");
  const froms = socket.sent.map(({ from }) => from);
  expect([froms, sockets.length]).toEqual([["latest", "earliest", "latest"], 1]);
});

it("[CLI-4] closes another socket than the first when the topic that it was for is ended", async () => {
  const { client, sockets } = open();
  client.subscribe("other");
  client.subscribe("t");
  await settle();
  sockets[0]!.say(WELCOME);
  const ended = client.subscribe("t", { from: "earliest" });
  await settle();
  const second = sockets[1]!;
  second.say(WELCOME);
  const { ref } = second.sent.at(-1)!;
  second.say({ op: "error", ref, problem: { code: "topic_not_found", title: "no", retryable: false } });
  const over = (async () => {
    for await (const item of ended) if (item.kind === "event") break;
  })();
  await expect(over).rejects.toMatchObject({ code: "topic_not_found" });
  expect(sockets.map(({ isClosed }) => isClosed)).toEqual([false, true]);
  expect(client.state).toBe("open");
});

it("[CLI-2] refuses at once what no address can name, and keeps nothing of it", async () => {
  const { client, sockets } = open();
  const refused = { code: "topic_name_invalid", retryable: false };
  await expect(client.publish("half-\ud83d", { type: "t", data: 1 })).rejects.toMatchObject(refused);
  await expect(client.history("half-\ud83d")).rejects.toMatchObject(refused);
  await expect(client.presence.enter("presence-\ud83d")).rejects.toMatchObject(refused);
  const subscription = client.subscribe("half-\ud83d");
  await expect(subscription.next()).rejects.toMatchObject(refused);
  expect([client.pending, sockets.length]).toEqual([0, 0]);
});

it("[CLI-6] renews its token by the time that the hub says is left, whatever its own clock thinks", async () => {
  const clock = new ManualClock();
  const { sockets, WebSocket } = scriptedSockets();
  let tokens = 0;
  const getToken = () => `t${(tokens += 1)}`;
  const client = createHub({ url: "https://hub.test", getToken, clock, WebSocket });
  client.onError(() => undefined);
  client.subscribe("t");
  await settle();
  const socket = sockets[0]!;
  const asked = () => socket.sent.findLast(({ op }) => op === "refresh")!;
  const answer = (message: object) => socket.say({ ...message, ref: asked().ref });
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000);
      socket.say({ op: "pong" });
    }
  };
  // By this clock it has ended already.
  socket.say({ ...WELCOME, expiresAt: new Date(clock.now() - 3_600_000).toISOString(), expiresInSeconds: 100 });
  expect(clock.waits).toContain(70_000);
  await pass(69);
  expect(tokens).toBe(1);
  await pass(1);
  expect(asked()).toMatchObject({ token: "t2" });
  answer({ op: "error", problem: { code: "token_invalid", title: "no", retryable: false } });
  expect(clock.waits).toContain(21_000); // Of the thirty seconds that are left.
  await pass(21);
  answer({ op: "refreshed", expiresInSeconds: 1_000 });
  expect(clock.waits).toContain(700_000);
  client.close();
});

it("[CLI-2] refuses everything once it is closed, and opens no socket for it", async () => {
  const { client, sockets } = open();
  client.close();
  const closed = { code: "hub_closed", retryable: false };
  await expect(client.presence.enter("presence-t")).rejects.toMatchObject(closed);
  expect(() => client.presence.subscribe("presence-t", () => undefined)).toThrow(expect.objectContaining(closed));
  await expect(client.publish("t", { type: "t", data: 1 })).rejects.toMatchObject(closed);
  const subscription = client.subscribe("t");
  await subscription.next().catch(() => undefined);
  await settle();
  expect(sockets).toEqual([]);
});

it("[CLI-10] looks at its connection when a page comes online, is shown or thaws, and not while it is hidden", async () => {
  const [window, document] = [new EventTarget(), Object.assign(new EventTarget(), { hidden: false })];
  for (const verb of ["addEventListener", "removeEventListener"] as const)
    vi.stubGlobal(verb, window[verb].bind(window));
  vi.stubGlobal("document", document);
  const stage = open();
  const socket = await begin(stage);
  const pings = (): number => socket.sent.filter(({ op }) => op === "ping").length;
  for (const kind of ["online", "pageshow", "focus"]) window.dispatchEvent(new Event(kind));
  for (const kind of ["visibilitychange", "resume"]) document.dispatchEvent(new Event(kind));
  expect(pings()).toBe(5);
  document.hidden = true;
  document.dispatchEvent(new Event("visibilitychange"));
  expect(pings()).toBe(5);
  document.hidden = false;
  stage.client.close();
  window.dispatchEvent(new Event("online"));
  expect(pings()).toBe(5);
});
