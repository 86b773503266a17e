/** What the hub tells operators by itself, with thresholds that a test reaches. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { startHub, type Hub, type Page } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  const vars = { LAG_TOLD_EVENTS: "50", STALLED_TOLD_MS: "200", LOG_TOLD_BYTES: "800000" };
  [hub, sink] = await Promise.all([startHub({ vars }), Sink.open()]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
beforeEach(() => sink.respond(() => 204));

async function subscribe(name: string, more: object = {}): Promise<void> {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const { status } = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: [name], target, ...more });
  expect(status).toBe(201);
}

interface News {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** In order. */
async function newsOf(name: string): Promise<readonly News[]> {
  const { body } = await hub.json<Partial<Page>>("GET", "/v1/topics/$system.operations/events?limit=1000");
  return (body.events ?? [])
    .filter(({ subject }) => subject === name)
    .map(({ type, data }) => ({ kind: type.replace("tidings.", ""), data: data as News["data"] }));
}

/** Once one of them is of that kind. */
const newsUntil = (name: string, last: string): Promise<readonly News[]> =>
  eventually(
    () => newsOf(name),
    (news) => news.some(({ kind }) => kind === last),
    `${name} is told ${last}`,
  );

const kindsOf = (news: readonly News[]): string[] => news.map(({ kind }) => kind);

it("[OPS-1] tells once that a subscription lags, and once that it has caught up", async () => {
  await subscribe("slow");
  await hub.json("POST", "/v1/subscriptions/slow/pause");
  await hub.publish(
    "slow",
    Array.from({ length: 60 }, () => ({ type: "t" })),
  );
  // A ledger looks at itself when something comes, and not more than once a second.
  const publishMore = async (): Promise<readonly News[]> => {
    await hub.publish("slow", { type: "t" });
    return newsOf("slow");
  };
  await eventually(publishMore, (news) => news.length > 0, "its lag is told");
  await hub.json("POST", "/v1/subscriptions/slow/resume");
  // A busy machine may make it owe for long as well, while it catches up.
  const isOfLag = ({ kind }: News): boolean => kind === "subscription.lagging" || kind === "subscription.level";
  const news = (await newsUntil("slow", "subscription.level")).filter(isOfLag);
  expect(kindsOf(news)).toEqual(["subscription.lagging", "subscription.level"]);
  expect(news[0]!.data).toMatchObject({ subscription: "slow", threshold: 50 });
  expect(news[0]!.data["lag"]).toBeGreaterThanOrEqual(60);
});

it("[OPS-1] tells once that a subscription owes for long, and once that it does not any more", async () => {
  await subscribe("stuck", { retry: { maxAttempts: 50, schedule: ["400ms"] } });
  sink.respond(() => 500);
  await hub.publish("stuck", { type: "t" });
  const [stalled] = await newsUntil("stuck", "subscription.stalled");
  expect(stalled!.data).toMatchObject({ subscription: "stuck", owed: 1, oldestOwedAt: expect.any(String) });
  sink.respond(() => 204);
  const news = await newsUntil("stuck", "subscription.moving");
  expect(kindsOf(news)).toEqual(["subscription.stalled", "subscription.moving"]);
});

it("[OPS-2] tells of the first delivery that uses up its attempts, and again only after one was taken", async () => {
  await subscribe("spent", { retry: { maxAttempts: 1, schedule: ["20ms"] } });
  const publish = async (status: number, settled: object): Promise<void> => {
    sink.respond(() => status);
    await hub.publish("spent", { type: "t" });
    await eventually(
      async () => (await hub.json<{ stats: object }>("GET", "/v1/subscriptions/spent")).body.stats,
      (stats) => Object.entries(settled).every(([name, value]) => stats[name as keyof typeof stats] === value),
      `it stands at ${JSON.stringify(settled)}`,
    );
  };
  await publish(500, { dead: 1 });
  await publish(500, { dead: 2 });
  await publish(204, { dead: 2, delivered: 1 });
  await publish(500, { dead: 3 });
  const told = await eventually(
    async () => (await newsOf("spent")).filter(({ kind }) => kind === "subscription.exhausted"),
    ({ length }) => length >= 2,
    "it is told twice",
  );
  expect(told.map(({ data }) => data["offset"])).toEqual([1, 4]);
  expect(told[0]!.data).toMatchObject({ subscription: "spent", topic: "spent", partition: 0, attempts: 1 });
});

it("[OPS-3] tells once that a log fills up, also over an eviction, and once that it has room again", async () => {
  const fill = () => hub.publish("full", { type: "t", data: "x".repeat(200_000) });
  const told = () => newsOf("full");
  // A log is measured once a second at most.
  const fillMore = async (): Promise<readonly News[]> => {
    await fill();
    return told();
  };
  const [filling] = await eventually(fillMore, ({ length }) => length > 0, "it is told that it fills up");
  expect(filling).toMatchObject({ kind: "topic.filling", data: { topic: "full", partition: 0, threshold: 800_000 } });
  expect(filling!.data["bytes"]).toBeGreaterThanOrEqual(800_000);
  expect(filling!.data["limit"]).toBe(LIMITS.LOG_BYTES_MAX);
  await hub.evictAll("TopicLog");
  await fill(); // The first after an eviction is measured.
  expect(kindsOf(await told())).toEqual(["topic.filling"]);
  await hub.json("PUT", "/v1/topics/full", { retention: { maxEvents: 1 } });
  const news = await newsUntil("full", "topic.roomy");
  expect(kindsOf(news)).toEqual(["topic.filling", "topic.roomy"]);
  expect(news[1]!.data["bytes"]).toBeLessThan(700_000);
});

it("[OPS-4] tells once what a schema refuses, however much it is, with what an operator needs", async () => {
  await hub.json("PUT", "/v1/schemas/order.made", { schema: { type: "object", required: ["total"] } });
  await hub.json("PUT", "/v1/topics/strict", { schemaPolicy: "enforce" });
  const { body } = await hub.json<{ id: string; key: string }>("POST", "/v1/keys", {
    name: "shop",
    scopes: ["publish:strict"],
  });
  const headers = { authorization: `Bearer ${body.key}` };
  const publish = () => hub.publish("strict", { type: "order.made", data: { secret: 7 } }, headers);
  for (const { status } of await Promise.all(Array.from({ length: 20 }, publish))) expect(status).toBe(422);
  await hub.publish("strict", { type: "order.made", data: { total: 1 } }, headers);
  const [rejected] = await newsUntil("strict", "schema.rejected");
  const errors = [{ pointer: "/data", detail: expect.stringContaining("total") }];
  const context = { topic: "strict", type: "order.made", version: 1, errors, producer: `key:${body.id}`, refusals: 1 };
  expect(rejected!.data).toEqual(context);
  await hub.json("PUT", "/v1/schemas/order.paid", { schema: { type: "object" } });
  await hub.publish("strict", { type: "order.paid", data: "none" });
  const told = await eventually(
    () => newsOf("strict"),
    ({ length }) => length > 1,
    "the other type is told",
  );
  expect(told.map(({ data }) => data["type"])).toEqual(["order.made", "order.paid"]);
});

interface Overview {
  readonly topics: Counted & {
    readonly items: readonly { readonly name: string; readonly stored: { bytes: number } }[];
  };
  readonly subscriptions: Counted & { readonly items: readonly Readonly<Record<string, unknown>>[] };
  readonly operations: readonly { readonly type: string; readonly time: string }[];
}

interface Counted {
  readonly total: number;
  readonly limit: number;
  readonly leftOut: number;
}

const overview = (headers: Record<string, string> = {}) =>
  hub.json<Overview & Record<string, unknown>>("GET", "/v1/overview", undefined, {
    "cache-control": "no-cache",
    ...headers,
  });

it("[OPS-5] shows an app at a glance, from what its objects say, and names what it has no room for", async () => {
  const app = { "tidings-app": "seen" };
  await hub.json("POST", "/v1/apps", { name: "seen", quotas: { topics: 7, sockets: 9 } });
  await hub.json("PUT", "/v1/topics/wide", { partitions: 64 }, app);
  await hub.publish("busy", [{ type: "t" }, { type: "t" }], app);
  const target = { kind: "webhook", url: `${sink.url}/seen` };
  const retry = { maxAttempts: 1, schedule: ["20ms"] };
  sink.respond(() => 500);
  await hub.json("PUT", "/v1/subscriptions/worn", { topics: ["busy"], startFrom: "earliest", target, retry }, app);
  const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: ["subscribe:**"] }, app);
  const socket = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${body.key}`);
  await socket.subscribe("busy");
  const { body: seen } = await eventually(
    () => overview(app),
    ({ body }) => body.subscriptions.items[0]?.["dead"] === 2 && body.operations.length > 0,
    "the deaths are seen",
  );
  expect(seen).toMatchObject({
    app: "seen",
    topics: { total: 2, limit: 7, leftOut: 0 },
    subscriptions: { total: 1, limit: LIMITS.APP_SUBSCRIPTIONS_DEFAULT, leftOut: 0 },
    connections: { sockets: 1, limit: 9, users: 0, hubs: 1 },
    channels: { items: [{ name: "busy", subscriptions: 1 }], more: false },
    operations: [{ type: "tidings.subscription.exhausted", subject: "worn", data: { subscription: "worn" } }],
    unreached: 0,
  });
  expect(seen.subscriptions.items).toEqual([
    expect.objectContaining({ name: "worn", target: "webhook", state: "active", breaker: "closed", lag: 0, owed: 0 }),
  ]);
  const busy = seen.topics.items.find(({ name }) => name === "busy");
  expect(busy).toMatchObject({ partitions: 1, events: 2, stored: { partition: 0, limit: LIMITS.LOG_BYTES_MAX } });
  expect(busy!.stored.bytes).toBeGreaterThan(0);
  await hub.json("PUT", "/v1/topics/wider", { partitions: 64 }, app);
  const { body: full } = await overview(app);
  expect([full.topics.total, full.topics.items.some(({ name }) => name === "wider")]).toEqual([3, false]);
  expect(full.topics.leftOut).toBeGreaterThan(0);
  socket.close();
});

it("[OPS-5] shows it to the app's admin alone, and of the last news the newest first", async () => {
  const keyWith = async (scopes: readonly string[]) => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
    return { authorization: `Bearer ${body.key}` };
  };
  expect((await overview(await keyWith(["manage:**", "history:**"]))).body["code"]).toBe("scope_missing");
  const { body: seen } = await overview(await keyWith(["admin"]));
  const { body: page } = await hub.json<Page>("GET", "/v1/topics/$system.operations/events?limit=1000");
  const newest = page.events.toReversed().slice(0, LIMITS.OVERVIEW_EVENTS_MAX);
  expect(seen.operations.map(({ type }) => type)).toEqual(newest.map(({ type }) => type));
});

type Line = Readonly<Record<string, unknown>>;

const linesOf = (topic: string, stage: string): readonly Line[] =>
  (hub.logs as readonly Line[]).filter((line) => line["topic"] === topic && line["stage"] === stage);

it("[OPS-6] writes a line of each stage that names the trace", async () => {
  sink.respond(() => 400);
  await subscribe("lined");
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  await hub.publish("lined", { type: "t", data: 1 }, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
  const line = async (stage: string): Promise<Line> =>
    (
      await eventually(
        () => linesOf("lined", stage),
        ({ length }) => length > 0,
        stage,
      )
    )[0]!;
  const appended = { first_offset: 1, last_offset: 1, commits: 1, count: 1, trace_id: traceId };
  expect(await line("event.appended")).toMatchObject(appended);
  expect(await line("event.fanned_out")).toMatchObject({ last_offset: 1, listeners: 1, behind: 0, trace_id: traceId });
  expect(await line("delivery.attempted")).toMatchObject({ offset: 1, status: 400, trace_id: traceId });
  expect(await line("delivery.dead_lettered")).toMatchObject({ offset: 1, attempt: 1, trace_id: traceId });
});

it("[OPS-6] sums up commits, every event in one line, and names no trace that is not of all of them", async () => {
  const publish = (_: unknown, at: number) => {
    const data = { text: `"traceparent":"00-${"a".repeat(32)}` };
    return hub.publish("summed", { type: "t", data }, at === 0 ? {} : { traceparent: traceparentOf(at) });
  };
  for (let at = 0; at < 100; at += 1) await publish(null, at);
  const lines = await eventually(
    () => linesOf("summed", "event.appended"),
    (found) => found.at(-1)?.["last_offset"] === 100,
    "the last is summed up",
  );
  expect(lines.length).toBeLessThan(100);
  let next = 1;
  for (const { first_offset, last_offset, count, commits, trace_id } of lines) {
    expect([first_offset, count]).toEqual([next, Number(last_offset) - next + 1]);
    if (Number(commits) > 1) expect(trace_id).toBe(null);
    next = Number(last_offset) + 1;
  }
  expect(lines[0]!["trace_id"]).toBe(null);
});

const traceparentOf = (at: number): string => `00-${String(at).padStart(32, "0")}-00f067aa0ba902b7-01`;
