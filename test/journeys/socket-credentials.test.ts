import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { bearer } from "../builders/tokens.ts";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const HUB = objectName("hub", "app_default", "native", "any", 0);
const SOCKETS = 200;
const CUT_MS_MAX = 10_000;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

interface Grant {
  readonly user?: string;
  readonly ttl?: string;
  readonly scopes?: readonly string[];
}

async function mint({ user, ttl = "10m", scopes = ["publish:**", "subscribe:**"] }: Grant = {}): Promise<string> {
  const body = { scopes, ttl, ...(user !== undefined && { user: { id: user } }) };
  return (await hub.json<{ token: string }>("POST", "/v1/tokens", body)).body.token;
}

const open = (token: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${token}`);

const stream = (topic: string, token: string): Promise<Response> =>
  hub.request(`/v1/topics/${topic}/events`, { headers: { ...bearer(token), accept: "text/event-stream" } });

const poll = (topic: string, token: string): Promise<Answer<{ code?: string }>> =>
  hub.json("GET", `/v1/topics/${topic}/events?from=latest&wait=25s`, undefined, bearer(token));

const codeAndClose = async (socket: TestSocket): Promise<unknown[]> => {
  const { code } = await socket.closed;
  const problem = socket.messages.findLast(({ op }) => op === "error")?.["problem"] as { code: string } | undefined;
  return [problem?.code, code];
};

/** The stream's text to its end. */
const whole = (response: Response): Promise<string> => response.text();

describe("the end of a credential", () => {
  it("[WS-21] is told by welcome, and the socket past it is cut within ten seconds", async () => {
    const socket = await open(await mint({ ttl: "2s" }));
    const endsAt = Date.parse(socket.messages[0]!["expiresAt"] as string);
    expect([0, 1]).toContain(socket.messages[0]!["expiresInSeconds"]); // Begun seconds do not count.
    await socket.subscribe("cut");
    expect(await codeAndClose(socket)).toEqual(["credential_expired", 4_401]);
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
    expect(Date.now() - endsAt).toBeLessThan(CUT_MS_MAX);
  });

  it("[WS-21] cuts sockets, streams and long polls that sleep in a hub which was thrown out of memory", async () => {
    const token = await mint({ ttl: "3s" });
    const [silent, chatty] = [await open(token), await open(token)];
    await silent.subscribe("cut-asleep");
    const [told, polled] = [await stream("cut-asleep", token), poll("cut-asleep", token)];
    await hub.evict("ChannelHub", HUB);
    await chatty.subscribe("cut-asleep");
    await hub.evict("ChannelHub", HUB);
    expect(await codeAndClose(silent)).toEqual(["credential_expired", 4_401]);
    expect(await codeAndClose(chatty)).toEqual(["credential_expired", 4_401]);
    expect(await whole(told)).toMatch(/event: problem\ndata: \{.*"code":"credential_expired"/);
    expect(await polled).toMatchObject({ status: 401, body: { code: "credential_expired" } });
  });

  it("[WS-21] does not concern a root key, which has none", async () => {
    const socket = await hub.connect();
    expect(socket.messages[0]).not.toHaveProperty("expiresAt");
    await socket.close();
  });
});

describe("refresh", () => {
  it("[WS-22] keeps the socket past its first end, with every topic it follows", async () => {
    const socket = await open(await mint({ user: "ada", ttl: "2s" }));
    await socket.subscribe("kept");
    const firstEnd = Date.parse(socket.messages[0]!["expiresAt"] as string);
    const answer = await socket.ask({ op: "refresh", token: await mint({ user: "ada" }) });
    expect(answer).toMatchObject({ op: "refreshed", expiresInSeconds: expect.any(Number) as number });
    expect(Date.parse(answer["expiresAt"] as string)).toBeGreaterThan(firstEnd + 60_000);
    const other = await open(await mint({ user: "bob", ttl: "2s" }));
    await other.subscribe("kept");
    expect(await codeAndClose(other)).toEqual(["credential_expired", 4_401]); // The hub has looked, after both ends.
    await hub.evict("ChannelHub", HUB);
    await hub.publish("kept", { type: "t" });
    await socket.until(() => socket.events().length === 1, "an event past the first end");
    await socket.close();
  });

  it("[WS-22] to a narrower token ends the topics that it does not allow, and says so first", async () => {
    const socket = await open(await mint({ user: "ada" }));
    await socket.subscribe("narrow.a");
    await socket.subscribe("narrow.b");
    const fresh = await mint({ user: "ada", scopes: ["subscribe:narrow.a"] });
    const before = socket.messages.length;
    await socket.ask({ op: "refresh", token: fresh });
    const said = socket.messages.slice(before);
    expect(said.map(({ op }) => op)).toEqual(["error", "unsubscribed", "refreshed"]);
    expect(said[0]).toMatchObject({ problem: { code: "scope_missing" } });
    expect(said[1]).toMatchObject({ topic: "narrow.b" });
    await hub.publish("narrow.b", { type: "t" });
    await hub.publish("narrow.a", { type: "t" });
    await socket.until(() => socket.events("narrow.a").length === 1, "the topic that stays");
    expect(socket.events("narrow.b")).toEqual([]);
    const denied = await socket.ask({ op: "publish", topic: "narrow.a", event: { type: "t" } });
    expect(denied).toMatchObject({ op: "error", problem: { code: "scope_missing" } });
    await socket.close();
  });

  it("[WS-22] with another user's, another app's or another kind of credential changes nothing", async () => {
    await hub.json("POST", "/v1/apps", { name: "elsewhere" });
    const inApp = { "tidings-app": "elsewhere" };
    const body = { scopes: ["subscribe:**"], user: { id: "ada" } };
    const foreign = await hub.json<{ token: string }>("POST", "/v1/tokens", body, inApp);
    const { body: made } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: ["admin"] });
    const socket = await open(await mint({ user: "ada" }));
    await socket.subscribe("same");
    for (const token of [await mint({ user: "eve" }), await mint(), foreign.body.token, made.key, "nonsense", ""]) {
      expect(await socket.ask({ op: "refresh", token })).toMatchObject({ op: "error" });
    }
    expect(await socket.ask({ op: "refresh" })).toMatchObject({ problem: { code: "frame_invalid" } });
    await hub.publish("same", { type: "t" });
    await socket.until(() => socket.events().length === 1, "an event");
    await socket.close();
  });
});

describe("a revocation", () => {
  it("[WS-23] closes 200 sockets, streams and long polls within a second, and every request is refused", async () => {
    const token = await mint({ user: "mallory" });
    const other = await open(await mint({ user: "ada" }));
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open(token)));
    // The local runtime keeps the TCP connection of a client that never sent a frame for ten seconds after the close
    // frame; a client that waits for its end would measure that.
    await Promise.all(sockets.map((socket, index) => socket.subscribe(`revoked-${index % 20}`)));
    const streams = await Promise.all(Array.from({ length: 5 }, () => stream("revoked-0", token)));
    const polls = Array.from({ length: 5 }, () => poll("revoked-0", token));
    await eventually(
      () => hub.rows("ChannelHub", HUB, "SELECT DISTINCT connection FROM follows WHERE topic = 'revoked-0'"),
      (rows) => rows.length === 20,
      "the streams and polls under way",
    );

    const begun = performance.now();
    const revoked = hub.json("POST", "/v1/revocations", { user: "mallory" });
    const ends = await Promise.all(sockets.map(codeAndClose));
    const told = await Promise.all(streams.map(whole));
    const polled = await Promise.all(polls);
    expect((await revoked).status).toBe(201);
    const refused = await hub.publish("revoked-0", { type: "t" }, bearer(token));
    const tookMs = performance.now() - begun;

    expect(ends).toEqual(sockets.map(() => ["credential_revoked", 4_501]));
    for (const text of told) expect(text).toMatch(/event: problem\ndata: \{.*"code":"credential_revoked"/);
    for (const { status, body } of polled) expect([status, body.code]).toEqual([401, "credential_revoked"]);
    expect(refused).toMatchObject({ status: 401, body: { code: "credential_revoked" } });
    await expect(open(token)).rejects.toThrow();
    expect(tookMs).toBeLessThan(1_000);
    expect(await other.ask({ op: "refresh", token })).toMatchObject({ problem: { code: "credential_revoked" } });
    expect(await other.subscribe("revoked-0")).toMatchObject({ op: "subscribed" });
    await other.close();
    console.log(
      `200 sockets, 5 streams and 5 long polls ended ${Math.round(tookMs)} ms after the revocation was asked`,
    );
  });

  it("[WS-23] of a user lets in the token that is minted right after it", async () => {
    const before = await mint({ user: "carol" });
    expect((await hub.json("POST", "/v1/revocations", { user: "carol" })).status).toBe(201);
    const socket = await open(await mint({ user: "carol" }));
    expect(await socket.subscribe("again")).toMatchObject({ op: "subscribed" });
    await expect(open(before)).rejects.toThrow();
    await socket.close();
  });

  it("[WS-27] is not undone by a client that does not close: what it goes on to send is not heard, nor after a sleep", async () => {
    const token = await mint({ user: "stubborn" });
    const { hostname, port } = new URL(hub.url);
    const stubborn = connect(Number(port), hostname);
    let said = "";
    stubborn.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
    const hears = (what: string) =>
      eventually(
        () => said,
        (text) => text.includes(what),
        what,
      );
    stubborn.write(`GET /v1/connect?token=${token} HTTP/1.1\r\nHost: hub\r\n${UPGRADE}\r\n\r\n`);
    await hears('"op":"welcome"');
    const publish = { op: "publish", topic: "stubborn", event: { type: "t" } };
    stubborn.write(textFrame(JSON.stringify(publish)));
    await hears('"op":"published"');
    await hub.json("POST", "/v1/revocations", { user: "stubborn" });
    await hears("credential_revoked");
    const before = said.length;
    stubborn.write(textFrame(JSON.stringify(publish)));
    await hub.evict("ChannelHub", HUB);
    stubborn.write(textFrame(JSON.stringify(publish)));
    const other = await open(await mint({ user: "ada" })); // By its answer the hub has had all that came before.
    await other.ask(publish);
    expect((await hub.read("stubborn")).events).toHaveLength(2);
    expect(said.slice(before)).not.toContain('"op":"published"');
    stubborn.destroy();
    await other.close();
  });
});

const UPGRADE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";

/** RFC 6455, §5.2: one frame of text under a mask of zeros, at most 125 bytes. */
const textFrame = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

describe("quotas of sockets", () => {
  const inApp = { "tidings-app": "small" };
  const openIn = async (key: string): Promise<TestSocket> => open(key);
  let key: string;

  beforeAll(async () => {
    await hub.json("POST", "/v1/apps", {
      name: "small",
      quotas: { sockets: 4, channelsPerSocket: 2, framesPerSecond: 20 },
    });
    key = await makeKey({ sockets: 2 });
  });

  async function makeKey(quotas: object): Promise<string> {
    const body = { name: "k", scopes: ["publish:**", "subscribe:**"], quotas };
    return (await hub.json<{ key: string }>("POST", "/v1/keys", body, inApp)).body.key;
  }

  const upgrade = async (credential: string): Promise<Answer<Record<string, unknown>>> =>
    hub.json("GET", "/v1/topics/any/events?wait=1s&from=latest", undefined, bearer(credential));

  it("[WS-24] hold per key and per app, to the socket, and free their place at once", async () => {
    const first = [await openIn(key), await openIn(key)];
    const byKey = await upgrade(key);
    expect(byKey).toMatchObject({ status: 429, body: { code: "quota_exceeded", limit: 2, actual: 2 } });
    expect(byKey.headers.get("retry-after")).toMatch(/^\d+$/);
    const second = await makeKey({});
    const more = [await openIn(second), await openIn(second)];
    expect(await upgrade(second)).toMatchObject({ status: 429, body: { code: "quota_exceeded", limit: 4, actual: 4 } });
    await expect(openIn(second)).rejects.toThrow();
    await more[0]!.close();
    const replaced = await eventually(
      () => openIn(second).catch(() => null),
      (socket) => socket !== null,
      "a free place",
    );
    await Promise.all([...first, more[1]!, replaced!].map((socket) => socket.close()));
  });

  it("[WS-32] hold where a refresh leads to another key", async () => {
    const narrow = await makeKey({ sockets: 1 });
    const grant = { scopes: ["subscribe:**"], user: { id: "ada" } };
    const mintWith = async (credential: string): Promise<string> =>
      (await hub.json<{ token: string }>("POST", "/v1/tokens", grant, bearer(credential))).body.token;
    const [holder, other] = [await openIn(await mintWith(narrow)), await openIn(await mintWith(key))];
    const answer = await other.ask({ op: "refresh", token: await mintWith(narrow) });
    expect(answer).toMatchObject({ op: "error", problem: { code: "quota_exceeded", limit: 1, actual: 1 } });
    expect(await holder.ask({ op: "refresh", token: await mintWith(narrow) })).toMatchObject({ op: "refreshed" });
    await Promise.all([holder, other].map((socket) => socket.close()));
  });

  it("[WS-33] that are lowered hold for what open sockets go on to publish", async () => {
    await hub.json("POST", "/v1/apps", { name: "lowered" });
    const body = { name: "k", app: "lowered", scopes: ["publish:**"] };
    const made = await hub.json<{ key: string }>("POST", "/v1/keys", body);
    const grant = { scopes: ["publish:**"] };
    const byRoot = await hub.json<{ token: string }>("POST", "/v1/tokens", grant, { "tidings-app": "lowered" });
    const sockets = [await openIn(made.body.key), await openIn(byRoot.body.token)];
    const publishOn = (socket: TestSocket) => socket.ask({ op: "publish", topic: "t", event: { type: "t" } });
    for (const socket of sockets) expect(await publishOn(socket)).toMatchObject({ op: "published" });
    const lowered = await hub.json("PATCH", "/v1/apps/lowered", { quotas: { eventsPerDay: 1 } });
    expect(lowered.status).toBe(200);
    await publishOn(sockets[0]!);
    for (const socket of sockets)
      expect(await publishOn(socket)).toMatchObject({ op: "error", problem: { code: "quota_exceeded" } });
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  it("[WS-25] bound the topics of one socket below the hub's own limit", async () => {
    const socket = await openIn(key);
    await socket.subscribe("a");
    await socket.subscribe("b");
    expect(await socket.subscribe("c")).toMatchObject({
      op: "error",
      problem: { code: "too_many_channels", limit: 2 },
    });
    await socket.ask({ op: "unsubscribe", topic: "a" });
    expect(await socket.subscribe("c")).toMatchObject({ op: "subscribed" });
    await socket.close();
  });

  it("[WS-26] end a socket that sends faster than it may, with a hint when to come again; pings are free", async () => {
    const socket = await openIn(key);
    for (let index = 0; index < 100; index += 1) socket.send('{"op":"ping"}');
    await socket.until((messages) => messages.filter(({ op }) => op === "pong").length === 100, "every pong");
    for (let index = 0; index < 60; index += 1) socket.send({ op: "unsubscribe", ref: index, topic: "none" });
    const { code } = await socket.closed;
    const answered = socket.messages.filter(({ op }) => op === "unsubscribed");
    const last = socket.messages.at(-1)!;
    expect(code).toBe(4_029);
    expect(last).toMatchObject({ op: "error", problem: { code: "too_many_frames", limit: 20 }, retryAfterSeconds: 1 });
    expect(answered.length).toBeLessThan(60);
  });
});
