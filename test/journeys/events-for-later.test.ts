import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

interface Waiting {
  readonly id: string;
  readonly deliverAt: string;
  readonly partition: number;
  readonly ttl?: string;
  readonly event: Record<string, unknown>;
}
interface WaitingPage {
  readonly items: readonly Waiting[];
  readonly cursor: string | null;
}

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const DAY_MS = 86_400_000;
type Headers = Record<string, string>;

const list = (topic: string, query = "", headers: Headers = {}) =>
  hub.json<WaitingPage>("GET", `/v1/topics/${topic}/scheduled${query}`, undefined, headers);
const cancel = async (topic: string, id: string, headers: Headers = {}): Promise<number> =>
  (await hub.request(`/v1/topics/${topic}/scheduled/${id}`, { method: "DELETE", headers })).status;

async function keyWith(...scopes: readonly string[]): Promise<Headers> {
  const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
  return { authorization: `Bearer ${body.key}` };
}

describe("an event with a deliverAt", () => {
  it("[TIME-1] is received, waits, and reaches readers and targets once, not before its time", async () => {
    const sink = await Sink.open();
    await hub.json("PUT", "/v1/subscriptions/later", { topics: ["later"], target: { kind: "webhook", url: sink.url } });
    const socket = await hub.connect();
    await socket.subscribe("later");
    const at = inMs(1_500);
    const { status, body } = await hub.publish("later", [
      { type: "later", id: "l1", deliverAt: at, data: { exact: 1 } },
      { type: "now", id: "n1" },
    ]);
    expect(status).toBe(201);
    const waiting = { id: "l1", topic: "later", partition: 0, scheduled: true, deliverAt: at, duplicate: false };
    expect(body.events).toEqual([waiting, expect.objectContaining({ id: "n1", offset: 1 })]);
    await socket.until(() => socket.events("later").length === 2, "both events");
    await sink.until(({ accepted }) => accepted.length === 2);
    const [, event] = await hub.readAll("later");
    expect(event).toMatchObject({ id: "l1", offset: 2, data: { exact: 1 }, time: event!["appendedat"] });
    expect(Date.parse(String(event!["appendedat"]))).toBeGreaterThanOrEqual(Date.parse(at));
    expect(event).not.toHaveProperty("deliverAt");
    await socket.close();
    await sink.close();
  });

  it("[TIME-1] comes over sockets and in lines as well, each with its receipt", async () => {
    const deliverAt = inMs(DAY_MS);
    const socket = await hub.connect();
    const event = { type: "t", deliverAt };
    const answer = await socket.ask({ op: "publish", topic: "ways", event });
    expect(answer).toMatchObject({ op: "published", receipt: { scheduled: true, deliverAt, duplicate: false } });
    await socket.close();
    const body = [event, { type: "t" }].map((draft) => JSON.stringify(draft)).join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    const lines = await (await hub.request("/v1/topics/ways/events", { method: "POST", headers, body })).text();
    expect(
      lines
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ scheduled: true, deliverAt }, { offset: 1 }]);
    expect((await list("ways")).body.items).toHaveLength(2);
  });

  it("[TIME-2] is scheduled once however often its request comes", async () => {
    const deliverAt = inMs(DAY_MS);
    const send = () => hub.publish("asked-again", { type: "t", deliverAt }, { "idempotency-key": "k1" });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status, second.headers.get("idempotent-replayed")]).toEqual([201, 200, "true"]);
    expect(second.body.events).toEqual([{ ...first.body.events[0], duplicate: true }]);
    const named = () => hub.publish("asked-again", { type: "t", id: "named", deliverAt });
    expect((await named()).status).toBe(201);
    expect(await named()).toMatchObject({ status: 200, body: { events: [{ scheduled: true, duplicate: true }] } });
    expect((await list("asked-again")).body.items).toHaveLength(2);
  });

  it("[TIME-4] is listed in the order of the times over all partitions, and taken back", async () => {
    await hub.json("PUT", "/v1/topics/wide", { partitions: 3 });
    const drafts = Array.from({ length: 25 }, (_, index) => ({
      type: "t",
      id: `w${index}`,
      ttl: "5m",
      deliverAt: new Date(Date.now() + DAY_MS + Math.floor(((index * 7) % 25) / 2) * 1_000).toISOString(),
    }));
    await hub.publish("wide", drafts);
    const items: Waiting[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: WaitingPage = (await list("wide", `?limit=4${cursor === "" ? "" : `&cursor=${cursor}`}`)).body;
      items.push(...page.items);
      ({ cursor } = page);
    }
    expect(items.map(({ id }) => id).toSorted()).toEqual(drafts.map(({ id }) => id).toSorted());
    const times = items.map(({ deliverAt }) => deliverAt);
    expect(times).toEqual(times.toSorted());
    expect(new Set(items.map(({ partition }) => partition)).size).toBe(3);
    expect(items[0]).toMatchObject({ ttl: "5m", event: { specversion: "1.0", type: "t", topic: "wide" } });
    expect([await cancel("wide", "w3"), await cancel("wide", "w3")]).toEqual([204, 404]);
    expect((await list("wide", "?limit=100")).body.items).toHaveLength(24);
    const audit = await hub.json<{ items: object[] }>("GET", "/v1/audit?action=event.cancelled&subject=wide");
    expect(audit.body.items).toMatchObject([{ actor: "root", before: { id: "w3" } }]);
  });

  it("[TIME-4] is seen by who manages the topic and who scheduled it, and by no reader", async () => {
    const [ada, bob] = [await keyWith("publish:private"), await keyWith("publish:private")];
    await hub.publish("private", { type: "t", id: "ada", deliverAt: inMs(DAY_MS) }, ada);
    const [manager, reader] = [await keyWith("manage:private"), await keyWith("subscribe:private", "history:private")];
    expect((await list("private", "", reader)).status).toBe(403);
    expect((await list("private", "", bob)).body.items).toEqual([]);
    expect((await list("private", "", ada)).body.items).toHaveLength(1);
    expect((await list("private", "", manager)).body.items).toHaveLength(1);
    expect([await cancel("private", "ada", reader), await cancel("private", "ada", bob)]).toEqual([403, 404]);
    expect(await cancel("private", "ada", ada)).toBe(204);
  });

  it("[TIME-5] is refused more than a year ahead, with a version to expect, or as a client event", async () => {
    const far = await hub.publish("refused", [{ type: "t" }, { type: "t", deliverAt: inMs(367 * DAY_MS) }]);
    expect(far).toMatchObject({ status: 422, body: { code: "event_invalid", errors: [{ pointer: "/1/deliverAt" }] } });
    const versioned = { type: "t", key: "k", expectedKeyVersion: 0, deliverAt: inMs(DAY_MS) };
    expect((await hub.publish("refused", versioned)).status).toBe(422);
    expect((await hub.json("GET", "/v1/topics/refused")).status).toBe(404);
    const socket = await hub.connect();
    await socket.subscribe("private-room");
    const event = { type: "client-typing", data: {}, deliverAt: inMs(DAY_MS) };
    const refused = await socket.ask({ op: "publish", topic: "private-room", event });
    expect(refused).toMatchObject({ op: "error", problem: { code: "client_event_refused" } });
    await socket.close();
  });

  it("[TIME-6] counts when it is accepted, and is gone with its topic", async () => {
    const app = { "tidings-app": "counted" };
    await hub.json("POST", "/v1/apps", { name: "counted", quotas: { eventsPerDay: 2 } });
    const deliverAt = inMs(400);
    expect((await hub.publish("t", { type: "t", deliverAt }, app)).status).toBe(201);
    const read = () => hub.json<{ events: object[] }>("GET", "/v1/topics/t/events", undefined, app);
    await eventually(read, ({ body }) => body.events.length === 1, "the event");
    expect((await hub.publish("t", { type: "t", deliverAt: inMs(DAY_MS) }, app)).status).toBe(201);
    expect((await hub.publish("t", { type: "t", deliverAt: inMs(DAY_MS) }, app)).status).toBe(429);
    await hub.request("/v1/topics/t", { method: "DELETE", headers: app });
    await hub.json("PUT", "/v1/topics/t", {}, app);
    expect((await list("t", "", app)).body.items).toEqual([]);
  });
});

describe("an event with a ttl", () => {
  interface Stats {
    readonly [name: string]: number;
  }
  const statsOf = async (name: string): Promise<Stats> =>
    (await hub.json<{ stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body.stats;
  const expired = (topic: string) =>
    eventually(
      () => hub.read(topic),
      ({ events }) => events.every(({ id }) => id !== "short"),
      "the expiry",
    );
  const PAIR = [
    { type: "t", id: "short", ttl: "1s" },
    { type: "t", id: "long" },
  ];

  it("[TIME-7] is read while it lives and passed when it does not, by pages, streams and sockets alike", async () => {
    await hub.publish("brief", PAIR);
    const [short] = await hub.readAll("brief");
    expect(Date.parse(String(short!["expirytime"])) - Date.parse(String(short!["appendedat"]))).toBe(1_000);
    const page = await expired("brief");
    expect(page).toMatchObject({ events: [{ id: "long", offset: 2 }], caughtUp: true });
    expect(page.gap).toBeUndefined();
    expect((await hub.request("/v1/events/short?topic=brief")).status).toBe(404);
    const filtered = await hub.read("brief", { filter: '{"type":["t"]}' });
    expect(filtered.events.map(({ id }) => id)).toEqual(["long"]);
    const socket = await hub.connect();
    await socket.subscribe("brief", { from: "earliest" });
    await socket.message(({ op }) => op === "caught_up");
    expect(socket.events("brief").map(({ id }) => id)).toEqual(["long"]);
    expect(socket.messages.filter(({ op }) => op === "gap")).toEqual([]);
    await socket.close();
  });

  it("[TIME-8] that nobody delivered in time counts as expired, for webhooks, batches and pull workers", async () => {
    const sink = await Sink.open();
    const webhook = { kind: "webhook", url: sink.url };
    const names = ["exp-hook", "exp-batch", "exp-pull"];
    const more = [{ target: webhook }, { target: webhook, mode: "batch" }, { target: { kind: "pull" } }];
    for (const [index, name] of names.entries()) {
      const made = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: ["exp"], ...more[index] });
      expect(made.status).toBe(201);
      await hub.json("POST", `/v1/subscriptions/${name}/pause`, {});
    }
    await hub.publish("exp", PAIR);
    await expired("exp");
    for (const name of names) await hub.json("POST", `/v1/subscriptions/${name}/resume`, {});
    const pulled = await hub.json<{ deliveries: { event: { id: string } }[] }>(
      "POST",
      "/v1/subscriptions/exp-pull/pull",
      { max: 10, wait: "5s" },
    );
    expect(pulled.body.deliveries.map(({ event }) => event.id)).toEqual(["long"]);
    expect(await statsOf("exp-pull")).toMatchObject({ matched: 2, expired: 1, owed: 1 });
    for (const name of names.slice(0, 2)) {
      const settled = { matched: 2, delivered: 1, expired: 1, owed: 0 };
      await eventually(
        () => statsOf(name),
        (stats) => stats["owed"] === 0 && stats["matched"] === 2,
        "the ledger",
      );
      expect(await statsOf(name)).toMatchObject(settled);
    }
    expect(sink.accepted.some(({ body }) => body.includes('"short"'))).toBe(false);
    await sink.close();
  });

  it("[TIME-8] is not tried again after its time", async () => {
    const sink = await Sink.open(() => 500);
    const retry = { maxAttempts: 3, schedule: ["2s"] };
    const definition = { topics: ["exp-retry"], target: { kind: "webhook", url: sink.url }, retry };
    await hub.json("PUT", "/v1/subscriptions/exp-retry", definition);
    await hub.publish("exp-retry", PAIR[0]);
    await eventually(
      () => statsOf("exp-retry"),
      (stats) => stats["expired"] === 1,
      "the expiry",
    );
    expect(await statsOf("exp-retry")).toMatchObject({ matched: 1, expired: 1, owed: 0, dead: 0 });
    expect(sink.deliveries).toHaveLength(1);
    await sink.close();
  });

  it("[TIME-9] is one with the expirytime that a CloudEvent brings", async () => {
    const event = { specversion: "1.0", id: "ce", source: "/s", type: "t", expirytime: inMs(-1_000) };
    const headers = { "content-type": "application/cloudevents+json" };
    expect((await hub.publish("brought", event, headers)).status).toBe(201);
    expect(await hub.read("brought")).toMatchObject({ events: [], caughtUp: true });
    for (const expirytime of ["soon", 5]) {
      const refused = await hub.publish("brought", { ...event, id: "x", expirytime }, headers);
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: "/expirytime" }] } });
    }
  });
});
