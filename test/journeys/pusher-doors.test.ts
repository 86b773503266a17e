import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePusherKey, type PusherKey } from "../builders/pusher.ts";
import { signedPath, type SignedRequest } from "../builders/pusher-signed.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { within } from "../harness/wait.ts";

let hub: Hub;
let key: PusherKey;

beforeAll(async () => {
  hub = await startHub();
  key = await makePusherKey(hub);
});
afterAll(() => hub.close());

interface Said {
  readonly event: string;
  readonly data: unknown;
  readonly channel?: string;
}

/** A client that says what pusher-js never would. */
class RawClient {
  readonly said: Said[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake: () => void = () => {};

  constructor(path: string) {
    this.socket = new WebSocket(`${hub.url.replace("http", "ws")}${path}`);
    this.socket.addEventListener("message", ({ data }) => {
      this.said.push(JSON.parse(data as string) as Said);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
  }

  async next(event: string): Promise<Said> {
    for (;;) {
      const found = this.said.findIndex((said) => said.event === event);
      if (found >= 0) return this.said.splice(found, 1)[0]!;
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(more, event);
    }
  }

  say(event: string, data: unknown, channel?: string): void {
    this.socket.send(JSON.stringify({ event, data, channel }));
  }

  async socketId(): Promise<string> {
    const { data } = await this.next("pusher:connection_established");
    this.say("pusher:subscribe", { channel: "ready", auth: "" });
    await this.next("pusher_internal:subscription_succeeded");
    return (JSON.parse(data as string) as { socket_id: string }).socket_id;
  }
}

const EVENT = JSON.stringify({ name: "e", channels: ["steady"], data: "1" });
const address = (keyId: string, query = "protocol=7"): string => `/app/${keyId}?${query}&client=js&version=8.6.0`;

const auth = (secret: string, content: string): string =>
  `${key.key}:${createHmac("sha256", secret).update(content).digest("hex")}`;

describe("[PUS-7] a client is told by its close code why it may not come in", () => {
  it.each([
    ["a key that is not there", () => address("000000000000"), 4001],
    ["no key at all", () => address("nothing"), 4001],
    ["no protocol", () => address(key.key, "x=1"), 4008],
    ["another protocol", () => address(key.key, "protocol=5"), 4007],
  ])("%s", async (_name, path, code) => {
    const client = new RawClient(path());
    expect((await client.closed).code).toBe(code);
    expect(client.said).toMatchObject([{ event: "pusher:error", data: { code } }]);
  });

  it("a key that is not for Pusher", async () => {
    const plain = await hub.json<{ id: string }>("POST", "/v1/keys", { name: "plain", scopes: ["admin"] });
    expect((await new RawClient(address(plain.body.id)).closed).code).toBe(4001);
  });

  it("a page that the app does not list", async () => {
    await hub.json("POST", "/v1/apps", { name: "pages", origins: ["https://page.test"] });
    const own = await makePusherKey(hub, { app: "pages" });
    expect((await new RawClient(address(own.key)).closed).code).toBe(4009);
  });
});

describe("[PUS-3] a channel that is not public stays shut", () => {
  it.each([
    ["without a signature", () => ""],
    ["with another secret's", (socket: string) => auth("0".repeat(64), `${socket}:private-room`)],
    ["with one for another channel", (socket: string) => auth(key.secret, `${socket}:private-other`)],
    ["with one for another connection", () => auth(key.secret, "1.1:private-room")],
    ["with one for a user", (socket: string) => auth(key.secret, `${socket}::user::private-room`)],
    ["with another key's", (socket: string) => `x${auth(key.secret, `${socket}:private-room`)}`],
  ])("%s", async (_name, sign) => {
    const client = new RawClient(address(key.key));
    const socketId = await client.socketId();
    client.say("pusher:subscribe", { channel: "private-room", auth: sign(socketId) });
    const { channel, data } = await client.next("pusher:subscription_error");
    expect(channel).toBe("private-room");
    expect(JSON.parse(data as string)).toMatchObject({ type: "AuthError", status: 401 });
    await hub.publish("private-room", { type: "secret", data: 1 });
    client.say("pusher:subscribe", { channel: "public", auth: "" });
    await client.next("pusher_internal:subscription_succeeded");
    expect(client.said).toEqual([]);
    client.socket.close();
  });

  it("beyond the key's scopes also to the app's signature, and to what is public", async () => {
    const narrow = await makePusherKey(hub, { scopes: ["subscribe:news", "subscribe:ready"] });
    const client = new RawClient(address(narrow.key));
    const socketId = await client.socketId();
    const hex = createHmac("sha256", narrow.secret).update(`${socketId}:private-room`).digest("hex");
    for (const [channel, signed] of [
      ["private-room", `${narrow.key}:${hex}`],
      ["elsewhere", ""],
    ]) {
      client.say("pusher:subscribe", { channel, auth: signed });
      expect((await client.next("pusher:subscription_error")).channel).toBe(channel);
    }
    client.say("pusher:subscribe", { channel: "news", auth: "" });
    expect((await client.next("pusher_internal:subscription_succeeded")).channel).toBe("news");
    client.socket.close();
  });

  it("and a client publishes nothing but client events", async () => {
    const client = new RawClient(address(key.key));
    await client.socketId();
    client.say("news", { a: 1 }, "public");
    expect((await client.next("pusher:error")).data).toMatchObject({ code: null });
    client.say("client-news", { a: 1 }, "public");
    await client.next("pusher:error");
    expect((await hub.json("GET", "/v1/topics/public/events")).body["events"]).toEqual([]);
    client.socket.close();
  });
});

const IN_ROTATED = { "tidings-app": "rotated" };

describe("[PUS-8] the secret's end", () => {
  it("is the end of sockets that came before a rotation, and of its signatures", async () => {
    await hub.json("POST", "/v1/apps", { name: "rotated" });
    const own = await makePusherKey(hub, { app: "rotated" });
    const client = new RawClient(address(own.key));
    await client.socketId();
    const rotate = `/v1/keys/${own.key}/rotate`;
    const rotated = await hub.json<{ pusher: PusherKey }>("POST", rotate, { overlap: "0s" }, IN_ROTATED);
    expect(rotated.body.pusher).toMatchObject({ appId: own.appId, key: own.key });
    expect((await client.closed).code).toBe(4100);
    const [before, after] = [own, rotated.body.pusher].map((one) =>
      hub.request(signedPath(one, { path: "/events", body: EVENT }), { method: "POST", body: EVENT }),
    );
    expect([(await before!).status, (await after!).status]).toEqual([401, 200]);
  });

  it("ends whom it lets in meanwhile, though its key goes on", async () => {
    const own = await makePusherKey(hub);
    await hub.json("POST", `/v1/keys/${own.key}/rotate`, { overlap: "3s" });
    const client = new RawClient(address(own.key));
    const socketId = await client.socketId();
    const hex = createHmac("sha256", own.secret).update(`${socketId}:private-room`).digest("hex");
    client.say("pusher:subscribe", { channel: "private-room", auth: `${own.key}:${hex}` });
    await client.next("pusher_internal:subscription_succeeded");
    expect((await client.closed).code).toBe(4100);
  });

  it("comes with the key's expiry: an open socket is closed, and neither it nor what is signed is let in", async () => {
    const brief = await makePusherKey(hub, { expiresAt: new Date(Date.now() + 3_000).toISOString() });
    const client = new RawClient(address(brief.key));
    await client.socketId();
    const body = EVENT.replace("steady", "brief");
    const publish = (): Promise<Response> =>
      hub.request(signedPath(brief, { path: "/events", body }), { method: "POST", body });
    expect((await publish()).status).toBe(200);
    expect((await client.closed).code).toBe(4100); // Come again, …
    expect((await new RawClient(address(brief.key)).closed).code).toBe(4001); // … and hear that it is over.
    expect((await publish()).status).toBe(401);
  });

  it("comes with the key's revocation: 4009", async () => {
    const own = await makePusherKey(hub);
    const client = new RawClient(address(own.key));
    await client.socketId();
    await hub.json("DELETE", `/v1/keys/${own.key}`);
    expect((await client.closed).code).toBe(4009);
    expect((await new RawClient(address(own.key)).closed).code).toBe(4001);
    const path = signedPath(own, { path: "/events", body: EVENT });
    expect((await hub.request(path, { method: "POST", body: EVENT })).status).toBe(401);
  });
});

const event = (more: object): string => JSON.stringify({ name: "e", channel: "steady", data: "1", ...more });

interface BadSigned extends SignedRequest {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  /** Sent instead of what was signed. */
  readonly sent?: string;
}

const bad = (name: string, status: number, code: string, request: Partial<BadSigned> = {}): BadSigned => ({
  name,
  status,
  code,
  path: "/events",
  body: EVENT,
  ...request,
});

const seconds = (offset: number): string => String(Math.floor(Date.now() / 1_000) + offset);

const BAD_SIGNED: readonly BadSigned[] = [
  bad("a time long ago", 401, "signature_invalid", { parameters: { auth_timestamp: seconds(-660) } }),
  bad("a time to come", 401, "signature_invalid", { parameters: { auth_timestamp: seconds(1_200) } }),
  bad("no time", 401, "signature_invalid", { parameters: { auth_timestamp: "now" } }),
  bad("another version", 401, "unauthenticated", { parameters: { auth_version: "2.0" } }),
  bad("another key", 401, "signature_invalid", { parameters: { auth_key: "000000000000" } }),
  bad("another body", 401, "signature_invalid", { sent: EVENT.replace('"e"', '"f"') }),
  bad("a body without its digest", 401, "signature_invalid", { body: "", sent: EVENT }),
  bad("another app's number", 404, "app_not_found", { appId: "7" }),
  bad("no JSON", 400, "json_invalid", { body: "{" }),
  bad("no name", 400, "event_invalid", { body: JSON.stringify({ channel: "steady", data: "1" }) }),
  bad("a long name", 400, "event_invalid", { body: event({ name: "x".repeat(201) }) }),
  bad("data that are no string", 400, "event_invalid", { body: event({ data: { a: 1 } }) }),
  bad("no channel", 400, "event_invalid", { body: JSON.stringify({ name: "e", data: "1" }) }),
  bad("a bad channel", 400, "topic_name_invalid", { body: event({ channel: "a b" }) }),
  bad("the hub's own channel", 400, "topic_name_invalid", { body: event({ channel: "$deliveries" }) }),
  bad("101 channels", 400, "event_invalid", {
    body: JSON.stringify({ name: "e", data: "1", channels: Array.from({ length: 101 }, (_, n) => `c${n}`) }),
  }),
  bad("too much", 413, "event_too_large", { body: event({ data: "x".repeat(10_241) }) }),
  bad("a socket_id that is none", 400, "event_invalid", { body: event({ socket_id: "1" }) }),
  bad("a batch of none", 400, "event_invalid", { path: "/batch_events", body: '{"batch":[]}' }),
  bad("a batch of eleven", 400, "event_invalid", {
    path: "/batch_events",
    body: `{"batch":[${Array.from({ length: 11 }, () => event({})).join(",")}]}`,
  }),
  bad("a batch with one that is bad", 400, "event_invalid", {
    path: "/batch_events",
    body: `{"batch":[${event({})},${event({ name: "" })}]}`,
  }),
];

describe("[PUS-9] a signed request is refused and writes nothing", () => {
  it.each(BAD_SIGNED)("for $name: $status", async ({ status, code, sent, ...request }) => {
    const { method = "POST", body = "" } = request;
    const text = sent ?? body;
    const answer = await hub.request(signedPath(key, request), { method, ...(text !== "" && { body: text }) });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    expect((await hub.json("GET", "/v1/topics/steady")).status).toBe(404);
  });

  it("for a parameter twice, and beyond the key's scopes", async () => {
    const path = `${signedPath(key, { path: "/events", body: EVENT })}&auth_key=${key.key}`;
    expect((await hub.request(path, { method: "POST", body: EVENT })).status).toBe(400);
    const reader = await makePusherKey(hub, { scopes: ["subscribe:**"] });
    const narrow = signedPath(reader, { path: "/events", body: EVENT });
    expect((await hub.request(narrow, { method: "POST", body: EVENT })).status).toBe(403);
    expect((await hub.json("GET", "/v1/topics/steady")).status).toBe(404);
  });

  it("for one app's key at another app's number", async () => {
    await hub.json("POST", "/v1/apps", { name: "neighbour" });
    const neighbour = await makePusherKey(hub, { app: "neighbour" });
    expect(neighbour.appId).not.toBe(key.appId);
    const path = signedPath(key, { path: "/events", body: EVENT, appId: neighbour.appId });
    expect((await hub.request(path, { method: "POST", body: EVENT })).status).toBe(404);
  });
});

describe("[PUS-9] where one channel refuses the event", () => {
  const eventsIn = async (topic: string, headers = {}): Promise<unknown[]> =>
    (await hub.json<{ events?: unknown[] }>("GET", `/v1/topics/${topic}/events`, undefined, headers)).body.events ?? [];
  const send = (own: PusherKey, path: string, body: string): Promise<Response> =>
    hub.request(signedPath(own, { path, body }), { method: "POST", body });

  it.each([
    ["a trigger", "/events", JSON.stringify({ name: "held", channels: ["loose", "strict"], data: "1" })],
    [
      "a batch",
      "/batch_events",
      JSON.stringify({ batch: ["loose", "strict"].map((channel) => ({ name: "held", channel, data: "1" })) }),
    ],
  ])("for its schema, %s leaves it in none", async (_name, path, body) => {
    await hub.json("PUT", "/v1/schemas/held", { schema: { type: "object" } });
    await hub.json("PUT", "/v1/topics/strict", { schemaPolicy: "enforce" });
    const answer = await send(key, path, body);
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "schema_violation" }]);
    expect(await eventsIn("loose")).toEqual([]);
  });

  it.each([
    ["a day's events", { eventsPerDay: 1 }, "e1"],
    ["its topics", { topics: 1 }, "e2"],
  ])("for the quota of %s, it is in none", async (_name, quotas, app) => {
    await hub.json("POST", "/v1/apps", { name: app, quotas });
    const own = await makePusherKey(hub, { app });
    const body = JSON.stringify({ name: "e", channels: ["one", "two"], data: "1" });
    const answer = await send(own, "/events", body);
    expect([answer.status, await answer.json()]).toMatchObject([429, { code: "quota_exceeded" }]);
    for (const topic of ["one", "two"]) expect(await eventsIn(topic, { "tidings-app": app })).toEqual([]);
  });
});
