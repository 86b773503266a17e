import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { ROOT_KEY, startHub, type Answer, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

interface Problem {
  readonly code: string;
  readonly limit?: number;
  readonly actual?: number;
}

const state = mkdtempSync(join(tmpdir(), "tidings-quotas-"));
let hub: Hub;

beforeAll(async () => {
  hub = await startHub({ persistTo: state });
});
afterAll(async () => {
  await hub.close();
  rmSync(state, { recursive: true });
});

type Headers = Record<string, string>;

let apps = 0;

/** The headers of a request in a new app with these quotas. */
async function makeApp(quotas: object): Promise<Headers & { "tidings-app": string }> {
  const name = `app-${(apps += 1)}`;
  expect((await hub.json("POST", "/v1/apps", { name, quotas })).status).toBe(201);
  return { "tidings-app": name };
}

async function makeKey(app: string, quotas: object): Promise<Headers> {
  const made = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", app, scopes: ["admin"], quotas });
  return { authorization: `Bearer ${made.body.key}` };
}

const publish = (app: Headers, body: unknown = { type: "t" }, topic = "t") =>
  hub.publish(topic, body, app) as unknown as Promise<Answer<Problem>>;

/** `times` requests by so many clients, each sending its next when the last is answered; the statuses. */
async function storm(times: number, clients: number, send: () => Promise<Answer<unknown>>): Promise<number[]> {
  const statuses: number[] = [];
  let left = times;
  const client = async (): Promise<void> => {
    while ((left -= 1) >= 0) statuses.push((await send()).status);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return statuses;
}

const count = (statuses: readonly number[], wanted: number): number =>
  statuses.filter((status) => status === wanted).length;

const readCount = async (app: Headers, topic = "t"): Promise<number> =>
  (await hub.json<{ events: unknown[] }>("GET", `/v1/topics/${topic}/events?limit=1000`, undefined, app)).body.events
    .length;

describe("what is counted of definitions", () => {
  const DEFINITIONS = {
    topics: (name: string, app: Headers) => hub.json<Problem>("PUT", `/v1/topics/${name}`, {}, app),
    subscriptions: (name: string, app: Headers) =>
      hub.json<Problem>(
        "PUT",
        `/v1/subscriptions/${name}`,
        { topics: ["a.*"], target: { kind: "listener", name: "analytics" } },
        app,
      ),
  };

  it.each(["topics", "subscriptions"] as const)(
    "[QUO-1, QUO-2] %s are as many as the app may have, also when fifty are asked for at once",
    async (kind) => {
      const app = await makeApp({ [kind]: 10 });
      let made = 0;
      const statuses = await storm(50, 50, () => DEFINITIONS[kind](`d${(made += 1)}`, app));
      expect([count(statuses, 201), count(statuses, 429)]).toEqual([10, 40]);
      const listed = await hub.json<{ items: { name: string }[] }>("GET", `/v1/${kind}`, undefined, app);
      expect(listed.body.items).toHaveLength(10);

      const { name } = listed.body.items[0]!;
      expect((await DEFINITIONS[kind](name, app)).status, "one that is there may be put again").toBe(200);
      const refused = await DEFINITIONS[kind]("more", app);
      expect(refused.body).toMatchObject({ code: "quota_exceeded", limit: 10, actual: 11 });
      expect(refused.headers.get("ratelimit-policy")).toBe(`"${kind}";q=10`);
      expect((await hub.json("DELETE", `/v1/${kind}/${name}`, undefined, app)).status).toBe(204);
      expect((await DEFINITIONS[kind]("more", app)).status, "a deleted one gives its place free").toBe(201);
    },
  );

  it("[QUO-1] a topic that a first publish or reader would make is refused likewise, and leaves nothing", async () => {
    const app = await makeApp({ topics: 1 });
    expect((await publish(app)).status).toBe(201);
    expect((await publish(app, { type: "t" }, "u")).body.code).toBe("quota_exceeded");
    for (const accept of ["application/json", "text/event-stream"]) {
      const { status } = await hub.json("GET", "/v1/topics/u/events?wait=1s", undefined, { ...app, accept });
      expect(status).toBe(429);
    }
    const lines = await hub.request("/v1/topics/u/events", {
      method: "POST",
      headers: { ...app, "content-type": "application/x-ndjson" },
      body: `{"type":"t"}\n`.repeat(500),
    });
    const answers = (await lines.text()).trim().split("\n");
    expect(answers.map((line) => (JSON.parse(line) as { problem: Problem }).problem.code)).toEqual(
      Array.from({ length: 500 }, () => "quota_exceeded"),
    );
    expect((await hub.json("GET", "/v1/topics/u", undefined, app)).status).toBe(404);
  });
});

describe("what is counted over time", () => {
  it("[QUO-3] a day's events are exactly as many as the quota says, however many publish at once", async () => {
    const app = await makeApp({ eventsPerDay: 100 });
    const statuses = await storm(300, 40, () => publish(app));
    expect([count(statuses, 201), count(statuses, 429)]).toEqual([100, 200]);
    expect(await readCount(app)).toBe(100);
  });

  it("[QUO-3] events of one request count each, and pass together or not at all", async () => {
    const app = await makeApp({ eventsPerDay: 10 });
    const events = (many: number) => Array.from({ length: many }, () => ({ type: "t" }));
    expect((await publish(app, events(7))).status).toBe(201);
    expect((await publish(app, events(4))).body).toMatchObject({ code: "quota_exceeded", limit: 10, actual: 11 });
    expect((await publish(app, events(3))).status).toBe(201);
    expect(await readCount(app)).toBe(10);
  });

  it("[QUO-4] a day's bytes are counted in UTF-8, as the log keeps them", async () => {
    const app = await makeApp({ bytesPerDay: 3_000 });
    const event = { type: "t", data: "€".repeat(300) };
    const statuses: number[] = [];
    for (let sent = 0; sent < 4; sent += 1) statuses.push((await publish(app, event)).status);
    expect(statuses).toEqual([201, 201, 429, 429]);
  });

  it("[QUO-5] a second's requests are no more than the quota says, and the next second allows as many again", async () => {
    const app = await makeApp({ requestsPerSecond: 20 });
    const from = Math.floor(Date.now() / 1_000);
    const statuses = await storm(200, 20, () => hub.json("GET", "/v1/limits", undefined, app));
    const seconds = Math.floor(Date.now() / 1_000) - from + 1;
    expect(count(statuses, 200)).toBeGreaterThanOrEqual(20);
    expect(count(statuses, 200)).toBeLessThanOrEqual(20 * seconds);
    expect(count(statuses, 200) + count(statuses, 429)).toBe(200);
    const again = () => hub.json("GET", "/v1/limits", undefined, app);
    await eventually(again, ({ status }) => status === 200, "the next second");
  });

  it("[QUO-6] each key has its own part of what its app may have", async () => {
    const app = await makeApp({ eventsPerDay: 30 });
    const [left, right] = [
      await makeKey(app["tidings-app"], { eventsPerDay: 10 }),
      await makeKey(app["tidings-app"], { eventsPerDay: 25 }),
    ];
    expect(count(await storm(20, 10, () => publish(left)), 201)).toBe(10);
    expect(count(await storm(40, 10, () => publish(right)), 201), "what the app has left").toBe(20);
    expect((await publish(right)).body).toMatchObject({ code: "quota_exceeded", limit: 30 });
    expect((await publish(left)).body).toMatchObject({ code: "quota_exceeded" });
    expect(await readCount(app)).toBe(30);
  });

  it("[QUO-7] a day's count survives an eviction of the meter and a crash of everything", async () => {
    const app = await makeApp({ eventsPerDay: 50 });
    const { results } = await (
      await hub.database()
    )
      .prepare("SELECT id FROM apps WHERE name = ?")
      .bind(app["tidings-app"])
      .all<{ id: string }>();
    expect(count(await storm(20, 4, () => publish(app)), 201)).toBe(20);
    await hub.evict("QuotaMeter", objectName("quota", results[0]!.id));
    expect(count(await storm(10, 4, () => publish(app)), 201)).toBe(10);
    await hub.killRuntime();
    const passed = count(await storm(60, 4, () => publish(app)), 201);
    expect(passed, "all that was not on loan when everything ended").toBeLessThanOrEqual(20);
    expect(passed).toBeGreaterThanOrEqual(10);
    expect(await readCount(app)).toBe(30 + passed);
  });

  it("[QUO-8] other apps do not notice, and who has no quota has no meter", async () => {
    const [full, free] = [await makeApp({ eventsPerDay: 1 }), await makeApp({})];
    const meters = (await hub.objectIds("QuotaMeter")).length;
    expect(count(await storm(20, 5, () => publish(free)), 201)).toBe(20);
    expect((await hub.objectIds("QuotaMeter")).length).toBe(meters);
    expect(count(await storm(3, 1, () => publish(full)), 201)).toBe(1);
    expect((await publish(free)).status).toBe(201);
    expect((await hub.objectIds("QuotaMeter")).length).toBe(meters + 1);
  });

  it("[QUO-11] a refusal says the limit, what is left of it and when to come again", async () => {
    const app = await makeApp({ eventsPerDay: 5 });
    const { status, headers, body } = await publish(
      app,
      Array.from({ length: 6 }, () => ({ type: "t" })),
    );
    expect(status).toBe(429);
    expect(body).toMatchObject({ code: "quota_exceeded", limit: 5, actual: 6 });
    const reset = Number(headers.get("retry-after"));
    expect(reset).toBeGreaterThan(0);
    expect(reset).toBeLessThanOrEqual(86_400);
    expect(headers.get("ratelimit-policy")).toBe('"eventsPerDay";q=5;w=86400');
    expect(headers.get("ratelimit")).toBe(`"eventsPerDay";r=5;t=${reset}`);
  });

  it("[QUO-12] lines of a stream pass until the quota is used up, and each later one is told in its place", async () => {
    const app = await makeApp({ eventsPerDay: 8 });
    const response = await hub.request("/v1/topics/t/events", {
      method: "POST",
      headers: { ...app, "content-type": "application/x-ndjson" },
      body: `{"type":"t"}\n`.repeat(5) + `{"type":1}\n` + `{"type":"t"}\n`.repeat(14),
    });
    expect(response.status).toBe(200);
    const answers = (await response.text()).trim().split("\n");
    const lines = answers.map((line) => JSON.parse(line) as { offset?: number; problem?: Problem });
    const told = lines.map(({ offset, problem }) => offset ?? problem!.code);
    const refused = Array.from({ length: 11 }, () => "quota_exceeded");
    expect(told).toEqual([1, 2, 3, 4, 5, "event_invalid", 6, 7, 8, ...refused]);
  });

  it("[QUO-13] a socket's publish is counted as well, and refused under its ref", async () => {
    const app = await makeApp({ eventsPerDay: 2 });
    const key = (await makeKey(app["tidings-app"], {}))["authorization"]!.slice("Bearer ".length);
    const socket = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${key}`);
    const answers: unknown[] = [];
    for (let sent = 0; sent < 3; sent += 1) {
      const answer = await socket.ask({ op: "publish", topic: "t", event: { type: "t" } });
      answers.push(answer.op === "published" ? "published" : (answer["problem"] as Problem).code);
    }
    expect(answers).toEqual(["published", "published", "quota_exceeded"]);
    socket.close();
  });
});

it("[QUO-8] the root key is not shut out by what an app that it worked in has used up", async () => {
  const app = await makeApp({ requestsPerSecond: 1 });
  await storm(5, 1, () => hub.json("GET", "/v1/limits", undefined, app));
  const { status } = await hub.json("GET", "/v1/apps", undefined, { authorization: `Bearer ${ROOT_KEY}` });
  expect(status).toBe(200);
});
