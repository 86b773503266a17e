/** Who waits for a subscription to settle what it has written, and what may happen to the ledger meanwhile. */
import { createExecutionContext, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { formatCursor, parseCursor } from "../../src/core/cursor.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SettledAsk } from "../../src/core/settled.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { SettledWaiters } from "../../src/durable-objects/subscription/settled-waiters.ts";
import type { Env } from "../../src/env.ts";
import { SubscriptionsStore } from "../../src/store/subscriptions-store.ts";
import { subscription } from "../../src/stubs.ts";
import { app } from "../../src/worker/app.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { eventually, within } from "../harness/wait.ts";

const ROOT = "test-root-key";
const APP = "app_default";

beforeAll(migrateDatabase);

/** Well before the end of a wait of 30 s, which would bring the answer as well. */
const soon = <T>(answer: Promise<T>, what: string): Promise<T> => within(answer, what, 20_000);

interface Asked {
  readonly body?: unknown;
  readonly key?: string;
  readonly app?: string;
  readonly signal?: AbortSignal;
  readonly bindings?: Env;
}

async function ask<Body = unknown>(
  method: string,
  path: string,
  { body, key = ROOT, app: of, signal, bindings = env }: Asked = {},
) {
  const request = new Request(`https://hub.test${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...(of !== undefined && { "tidings-app": of }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
  const response = await app.fetch(request, bindings, createExecutionContext());
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as Body };
}

interface Settled {
  readonly reached: boolean;
  readonly cursor: string;
  readonly code?: string;
}

/** Answers the receipt's cursor. */
async function publish(topic: string, of?: string): Promise<string> {
  const asked = { body: { type: "t" }, ...(of !== undefined && { app: of }) };
  const { body } = await ask<{ events: [{ cursor: string }] }>("POST", `/v1/topics/${topic}/events`, asked);
  return body.events[0].cursor;
}

/** A subscription of one topic of the same name, from which its only worker pulls: nothing is settled by itself. */
class World {
  readonly name: string;
  readonly object: ReturnType<typeof subscription>;

  static async begin(name: string): Promise<World> {
    await ask("PUT", `/v1/subscriptions/${name}`, {
      body: { topics: [name], startFrom: "earliest", target: { kind: "pull" } },
    });
    const { definition } = (await new SubscriptionsStore(env.DB).find(APP, name))!;
    return new World(name, definition.id);
  }

  private constructor(name: string, id: string) {
    this.name = name;
    this.object = subscription(env, APP, id);
  }

  publish(): Promise<string> {
    return publish(this.name);
  }

  /** A worker takes the next delivery and is done with it. */
  async work(): Promise<void> {
    const path = `/v1/subscriptions/${this.name}`;
    const { deliveries } = (
      await ask<{ deliveries: { id: string; lease: string }[] }>("POST", `${path}/pull`, { body: { max: 1 } })
    ).body;
    await ask("POST", `${path}/ack`, { body: { acks: deliveries.map(({ id, lease }) => ({ id, lease })) } });
  }

  async settled(minCursor: string, wait = "0s", more: Asked = {}) {
    const query = new URLSearchParams({ topic: this.name, minCursor, wait });
    return ask<Settled>("GET", `/v1/subscriptions/${this.name}/settled?${query}`, more);
  }

  waiting(count: number): Promise<number> {
    return eventually(
      () => runInDurableObject(this.object, (_instance, state) => state.getWebSockets("settled").length),
      (sockets) => sockets === count,
      `${count} wait`,
    );
  }

  evict(webSockets: "hibernate" | "close"): Promise<void> {
    return evictDurableObject(this.object, { webSockets });
  }
}

it("[PRJ-5] says at once how far it is, and later that it is there, whoever waits meanwhile", async () => {
  const world = await World.begin("waited");
  const [first, second] = [await world.publish(), await world.publish()];
  const { epoch } = parseCursor(first)!;
  const none = formatCursor({ epoch, offsets: new Map([[0, 0]]) });
  expect(await world.settled(first)).toEqual({ status: 200, body: { reached: false, cursor: none } });
  const waits = [world.settled(first, "30s"), world.settled(second, "30s")] as const;
  await world.waiting(2);
  await world.work();
  expect(await soon(waits[0], "the first is settled")).toEqual({
    status: 200,
    body: { reached: true, cursor: first },
  });
  await world.waiting(1);
  await world.work();
  expect((await soon(waits[1], "the second is settled")).body).toEqual({ reached: true, cursor: second });
  expect((await world.settled(first)).body).toEqual({ reached: true, cursor: second });
  await world.waiting(0);
});

it("[PRJ-5] says that it is not there yet when the wait is over, and nobody is left waiting", async () => {
  const world = await World.begin("late");
  const cursor = await world.publish();
  expect((await world.settled(cursor, "300ms")).body).toMatchObject({ reached: false });
  await world.waiting(0);
  const gone = new AbortController();
  const hungUp = world.settled(cursor, "30s", { signal: gone.signal });
  await world.waiting(1);
  gone.abort();
  await hungUp.catch(() => null);
  await world.waiting(0);
});

it("[PRJ-5] lets the ledger sleep, and is answered by the one that wakes", async () => {
  const world = await World.begin("asleep");
  const cursor = await world.publish();
  const wait = world.settled(cursor, "30s");
  await world.waiting(1);
  await world.evict("hibernate"); // Waits for calls under way: there is none.
  await world.waiting(1);
  await world.work();
  expect((await soon(wait, "it is settled")).body).toEqual({ reached: true, cursor });
});

it("[PRJ-5] begins again where its socket was lost", async () => {
  const world = await World.begin("lost");
  const cursor = await world.publish();
  const wait = world.settled(cursor, "30s");
  await world.waiting(1);
  await world.evict("close");
  await world.waiting(1);
  await world.work();
  expect((await soon(wait, "it is settled")).body).toEqual({ reached: true, cursor });
});

it("[PRJ-5] hears of what the filter leaves out, and of the subscription's end", async () => {
  const world = await World.begin("filtered");
  const target = { kind: "listener", name: "analytics" };
  const definition = { topics: ["filtered"], filter: { type: ["wanted"] }, target };
  await ask("PUT", "/v1/subscriptions/filtered", { body: definition });
  await ask("POST", "/v1/subscriptions/filtered/pause", { body: {} });
  const cursor = await world.publish();
  const wait = world.settled(cursor, "30s");
  await world.waiting(1);
  await ask("POST", "/v1/subscriptions/filtered/resume", { body: {} });
  expect((await soon(wait, "it was looked at")).body).toMatchObject({ reached: true });

  await ask("POST", "/v1/subscriptions/filtered/pause", { body: {} });
  const last = world.settled(await world.publish(), "30s");
  await world.waiting(1);
  await ask("DELETE", "/v1/subscriptions/filtered");
  expect(await soon(last, "it has ended")).toMatchObject({ status: 404, body: { code: "subscription_not_found" } });
});

it("[PRJ-5] lets no more wait than may, and tells the others at once", async () => {
  const world = await World.begin("crowded");
  const cursor = await world.publish();
  const crowd = { getWebSockets: () => Array<WebSocket>(LIMITS.SETTLED_WAITERS_MAX) } as unknown as DurableObjectState;
  const full = {
    settled: (asked: SettledAsk) => world.object.settled(asked),
    fetch: (request: Request) =>
      runInDurableObject(world.object, (_instance, state) =>
        new SettledWaiters(crowd, new Ledger(state)).accept(request),
      ),
  };
  const bindings = { ...env, SUBSCRIPTION: { getByName: () => full } } as unknown as Env;
  const answer = await soon(world.settled(cursor, "30s", { bindings }), "an answer");
  expect(answer.body).toMatchObject({ reached: false });
});

it("[PRJ-6] knows a cursor of another topic, of another app, of another life and of the future", async () => {
  const world = await World.begin("cursors");
  const cursor = await world.publish();
  const { epoch } = parseCursor(cursor)!;
  const at = (life: number, offsets: readonly [number, number][]) =>
    formatCursor({ epoch: life, offsets: new Map(offsets) });
  await ask("POST", "/v1/apps", { body: { name: "elsewhere" } });
  const hostile = {
    "of another topic": await publish("other"),
    "of another app": await publish("cursors", "elsewhere"),
    "ahead of the log": at(epoch, [[0, 2]]),
    "far ahead": at(epoch, [[0, Number.MAX_SAFE_INTEGER]]),
    "of a partition that is not there": at(epoch, [[1, 1]]),
    "of a life before": at(1, [[0, 1]]),
    "of a life to come": at(epoch + 1, [[0, 1]]),
  };
  for (const [what, foreign] of Object.entries(hostile))
    expect([what, await world.settled(foreign, "5s")]).toMatchObject([what, { status: 400, body: CURSOR_INVALID }]);
  expect((await world.settled(at(epoch, []))).body).toMatchObject({ reached: true }); // Nothing was asked for.
  const unasked = await ask("GET", `/v1/subscriptions/cursors/settled?topic=other&minCursor=${cursor}`);
  expect(unasked).toMatchObject({ status: 422, body: { code: "parameter_invalid" } });

  await ask("DELETE", "/v1/topics/cursors");
  expect(await world.settled(cursor)).toMatchObject({ status: 404, body: { code: "topic_not_found" } });
  const next = await world.publish();
  expect(await world.settled(cursor)).toMatchObject({ status: 400, body: CURSOR_INVALID });
  await world.work();
  expect((await world.settled(next, "10s")).body).toMatchObject({ reached: true });
});

const CURSOR_INVALID = { code: "cursor_invalid" };

it("[ERR-7] is `hub_overloaded` where the ledger cannot be reached", async () => {
  const world = await World.begin("unreached");
  const cursor = await world.publish();
  const unreachable = { settled: () => Promise.reject(new Error("planned")) };
  const bindings = { ...env, SUBSCRIPTION: { getByName: () => unreachable } } as unknown as Env;
  expect(await world.settled(cursor, "5s", { bindings })).toMatchObject({
    status: 503,
    body: { code: "hub_overloaded", retryable: true },
  });
});

it("[PRJ-6] is for who may subscribe to each of its patterns, or manage it, for as long as that holds", async () => {
  await ask("PUT", "/v1/subscriptions/guarded", { body: { topics: ["shop.*", "till"], target: { kind: "pull" } } });
  const cursor = await publish("shop.a");
  const keyWith = async (...scopes: string[]) =>
    (await ask<{ id: string; key: string }>("POST", "/v1/keys", { body: { name: "asks", scopes } })).body;
  const query = new URLSearchParams({ topic: "shop.a", minCursor: cursor, wait: "30s" });
  const asks = (key: string, path = `/v1/subscriptions/guarded/settled?${query}`) => ask("GET", path, { key });
  expect(await asks((await keyWith("publish:**", "history:**")).key)).toMatchObject({ status: 403 });
  expect(await asks((await keyWith("subscribe:shop.*")).key)).toMatchObject({ status: 404 });
  const { id, key } = await keyWith("subscribe:shop.*", "subscribe:till");
  const outside = await asks(key, `/v1/subscriptions/guarded/settled?topic=not.there&minCursor=${cursor}`);
  expect(outside).toMatchObject({ status: 422, body: { code: "parameter_invalid" } });
  const wait = asks(key);
  const { definition } = (await new SubscriptionsStore(env.DB).find(APP, "guarded"))!;
  const ledger = subscription(env, APP, definition.id);
  await eventually(
    () => runInDurableObject(ledger, (_instance, state) => state.getWebSockets("settled").length),
    (sockets) => sockets === 1,
    "it waits",
  );
  await ask("DELETE", `/v1/keys/${id}`);
  await ask("POST", "/v1/subscriptions/guarded/seek", { body: { to: "latest" } });
  expect(await soon(wait, "an answer")).toMatchObject({ status: 401, body: { code: "credential_revoked" } });
});
