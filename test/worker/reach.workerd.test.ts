import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { registerListeners } from "../../src/delivery/listener-registry.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { HubsStore } from "../../src/store/hubs-store.ts";
import type { Env } from "../../src/env.ts";
import { app } from "../../src/worker/app.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { tell } from "../builders/command-handlers.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

const ROOT = "test-root-key";

interface Made {
  readonly pusher: { readonly key: string };
}

let pusherKey: string;

beforeAll(async () => {
  await migrateDatabase();
  await ask("PUT", "/v1/topics/presence-hall", { body: {} });
  const key = { name: "pusher", scopes: ["subscribe:**", "presence:**"], pusher: true };
  pusherKey = ((await (await ask("POST", "/v1/keys", { body: key })).json()) as Made).pusher.key;
  await ask("PUT", "/v1/subscriptions/pulled", { body: { topics: ["nightly"], target: { kind: "pull" } } });
  await new HubsStore(env.DB).add({ app: "app_default", protocol: "native", region: "any", shard: 0 }, Date.now());
});

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly bindings?: Env;
}

async function ask(method: string, path: string, { body, headers = {}, bindings = env }: Asked): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`https://hub.test${path}`, {
    method,
    headers: { authorization: `Bearer ${ROOT}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const response = await app.fetch(request, bindings, context);
  await waitOnExecutionContext(context);
  return response;
}

/** Whose every call fails, as those of an object that cannot be started. */
const unreachable = {
  getByName: () => new Proxy({}, { get: () => () => Promise.reject(new Error("planned")) }),
};
const broken = {
  ...env,
  CHANNEL_HUB: unreachable,
  PRESENCE_ROOM: unreachable,
  SCHEDULES: unreachable,
  SUBSCRIPTION: unreachable,
} as unknown as Env;

const schedule = { cron: "0 3 * * *", topic: "nightly", event: { type: "t" } };

it.each<[string, string, unknown?, Record<string, string>?]>([
  ["GET", "/v1/channels"],
  ["GET", "/v1/channels/news"],
  ["GET", "/v1/channels/presence-hall/members"],
  ["GET", "/v1/channels/presence-hall/members/ana"],
  ["GET", "/v1/connections"],
  ["GET", "/v1/users/ana"],
  ["POST", "/v1/users/ana/events", { type: "t", data: 1 }],
  ["POST", "/v1/users/ana/disconnect", {}],
  ["GET", "/v1/connect", undefined, { upgrade: "websocket" }],
  ["GET", "/v1/schedules"],
  ["GET", "/v1/schedules/nightly"],
  ["PUT", "/v1/schedules/nightly", schedule],
  ["DELETE", "/v1/schedules/nightly"],
  ["PUT", "/v1/subscriptions/other", { topics: ["nightly"], target: { kind: "pull" } }],
  ["GET", "/v1/subscriptions/pulled"],
  ["DELETE", "/v1/subscriptions/pulled"],
  ["POST", "/v1/subscriptions/pulled/pause", {}],
  ["POST", "/v1/subscriptions/pulled/pull", {}],
  ["POST", "/v1/subscriptions/pulled/ack", { acks: [] }],
  ["GET", "/v1/subscriptions/pulled/deliveries"],
  ["POST", "/v1/subscriptions/pulled/seek", { to: "earliest" }],
  ["POST", "/v1/subscriptions/pulled/replay", { mode: "force", from: "earliest" }],
  ["GET", "/v1/subscriptions/pulled/dead-letters"],
  ["GET", "/v1/subscriptions/pulled/dead-letters/groups"],
  ["POST", "/v1/subscriptions/pulled/dead-letters/redrive", { all: true }],
])("[ERR-7] %s %s without the object that it asks is `hub_overloaded`", async (method, path, body, headers) => {
  const answer = await ask(method, path, { body, headers: headers ?? {}, bindings: broken });
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: "hub_overloaded", retryable: true }]);
  expect(answer.headers.get("retry-after")).toBe("1");
});

it("[ERR-7] what could not reach its object is done by a repeat under its Idempotency-Key", async () => {
  const put = (bindings: Env) =>
    ask("PUT", "/v1/schedules/nightly", { body: schedule, headers: { "idempotency-key": "nightly" }, bindings });
  expect([(await put(broken)).status, (await put(env)).status]).toEqual([503, 201]);
});

it("[BAT-11] a batch whose object cannot be reached is in no list, and a repeat under its key makes it", async () => {
  const list = async (): Promise<readonly { id: string }[]> =>
    ((await (await ask("GET", "/v1/batches", {})).json()) as { items: { id: string }[] }).items;
  const body = { mode: "chain", topic: "jobs", subscription: null, jobs: [{ type: "work" }] };
  const make = (headers: Record<string, string>, bindings = env): Promise<Response> =>
    ask("POST", "/v1/batches", { body, headers, bindings });
  const [headers, broken] = [{ "idempotency-key": "again" }, { ...env, BATCH: unreachable } as unknown as Env];
  for (const given of [{}, headers]) expect((await make(given, broken)).status).toBe(503);
  expect(await list()).toEqual([]);
  const made = await make(headers);
  expect(made.status).toBe(201);
  expect(await list()).toMatchObject([{ id: ((await made.json()) as { id: string }).id, state: "running" }]);
  const rows = () =>
    env.DB.prepare(`SELECT state FROM batches`)
      .all()
      .then(({ results }) => results.length);
  expect(await rows()).toBe(2);
  await runScheduled(env, Date.now() + LIMITS.IDEMPOTENCY_KEEP_MS + 1_000);
  expect(await rows()).toBe(1);
});

const falling = (error: Error): Env =>
  ({
    ...env,
    TOPIC_LOG: { getByName: () => new Proxy({}, { get: () => () => Promise.reject(error) }) },
  }) as unknown as Env;

it.each(["GET /v1/topics/presence-hall/scheduled", "DELETE /v1/topics/presence-hall/scheduled/e1"])(
  "[ERR-7] %s without the log that it asks is `hub_overloaded`",
  async (route) => {
    const [method, path] = route.split(" ") as [string, string];
    const answer = await ask(method, path, { bindings: falling(new Error("x")) });
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "hub_overloaded" }]);
  },
);

it("[ERR-7] a mistake of the hub's own code is no object that cannot be reached", async () => {
  const bindings = falling(new TypeError("x is not a function"));
  expect((await ask("GET", "/v1/topics/presence-hall/scheduled", { bindings })).status).toBe(500);
});

it("[ERR-7] a command whose key's log cannot be reached is `hub_overloaded`", async () => {
  registerListeners([tell]);
  const definition = { topic: "presence-hall", target: { kind: "listener", name: "tell" } };
  expect((await ask("PUT", "/v1/commands/tell", { body: definition })).status).toBe(201);
  const sent = { body: { payload: {} }, bindings: falling(new Error("x")) };
  const answer = await ask("POST", "/v1/commands/tell", sent);
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: "hub_overloaded", retryable: true }]);
});

it.each(["retryable", "durableObjectReset", "overloaded"])(
  "[ERR-8] a log whose error is `%s` is `hub_overloaded`, and any other the hub's own mistake",
  async (property) => {
    const path = "/v1/topics/presence-hall/events";
    const passing = await ask("GET", path, { bindings: falling(Object.assign(new Error("x"), { [property]: true })) });
    expect([passing.status, await passing.json()]).toMatchObject([503, { code: "hub_overloaded", retryable: true }]);
    const mistake = await ask("GET", path, { bindings: falling(new Error("x")) });
    expect([mistake.status, await mistake.json()]).toMatchObject([500, { code: "internal_error" }]);
  },
);

it("[PUS-7] a Pusher client whose hub cannot be reached is told to come again", async () => {
  const headers = { upgrade: "websocket" };
  const answer = await ask("GET", `/app/${pusherKey}?protocol=7`, { headers, bindings: broken });
  expect(answer.status).toBe(101);
  const socket = answer.webSocket!;
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("close", ({ code }) => resolve(code), { once: true });
  });
  socket.accept();
  expect(await closed).toBe(4100);
});
