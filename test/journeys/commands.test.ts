/** Commands from outside: each promise with the handler in the hub and in a Worker beside it, where it matters. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decided, TellPayload } from "../builders/command-handlers.ts";
import { startHub, type Answer, type Hub, type Receipt } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

interface Outcome {
  readonly status: "accepted" | "rejected";
  readonly events: readonly Receipt[];
  readonly reason?: string;
  readonly attempts: number;
  readonly sync?: readonly { readonly outcome: string }[];
  readonly code?: string;
  readonly detail?: string;
  readonly actual?: number;
  readonly errors?: readonly { readonly pointer: string }[];
}

const IN_HUB = (name: string) => ({ kind: "listener", name });
const IN_WORKER = { kind: "worker", binding: "CONSUMER_COMMANDS" };

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({
    entry: "test/builders/command-hub.ts",
    consumers: { CONSUMER_COMMANDS: "test/builders/command-worker.ts", CONSUMER_NONE: "test/builders/consumer.ts" },
  });
});
afterAll(() => hub.close());

const define = (name: string, more: object = {}) =>
  hub.json<{ code?: string }>("PUT", `/v1/commands/${name}`, { topic: `of-${name}`, target: IN_WORKER, ...more });

const send = (name: string, body: object, headers: Record<string, string> = {}): Promise<Answer<Outcome>> =>
  hub.json<Outcome>("POST", `/v1/commands/${name}`, body, headers);

const decisionsOf = (id: string): Decided[] =>
  (hub.logs as readonly unknown[] as readonly Decided[]).filter(
    (line) => line.stage === "test.decided" && line.id === id,
  );

const lastDecision = (): Decided =>
  (hub.logs as readonly unknown[] as readonly Decided[]).findLast(({ stage }) => stage === "test.decided")!;

/** Commands are named like their handlers, so each test has a topic and keys of its own. */
const tellOn = async (topic: string, more: object = {}): Promise<void> => {
  const { status } = await define("tell", { topic, target: IN_WORKER, ...more });
  expect([200, 201]).toContain(status);
};

const told = (payload: TellPayload, key = "k") => ({ payload, key });

describe.each([
  ["in the hub", IN_HUB("withdraw")],
  ["in a Worker beside it", IN_WORKER],
])("a handler %s", (where, target) => {
  const topic = `accounts-${where.length}`;
  const withdraw = (amount: unknown, key = "ada") => send("withdraw", { payload: { amount }, key });

  it("[CMD-3, CMD-4, CMD-9] sees the key's state and version, and its events are of that key", async () => {
    expect([200, 201]).toContain((await define("withdraw", { topic, target })).status);
    const [first, second] = [await withdraw(60), await withdraw(30)];
    expect(first).toMatchObject({ status: 200, body: { status: "accepted", attempts: 1 } });
    expect(first.body.events).toMatchObject([{ topic, offset: 1, keyVersion: 1, duplicate: false }]);
    expect(second.body.events).toMatchObject([{ offset: 2, keyVersion: 2 }]);
    const refused = await withdraw(11);
    expect(refused.status).toBe(200);
    expect(refused.body).toEqual({ status: "rejected", events: [], reason: "There are 10, not 11.", attempts: 1 });
    expect(await withdraw(11, "ben")).toMatchObject({ body: { status: "accepted" } });
    expect(await hub.readAll(topic)).toMatchObject([
      { partitionkey: "ada", keyversion: 1, type: "money.withdrawn", data: { change: -60, saw: 100 } },
      { partitionkey: "ada", keyversion: 2, data: { change: -30, saw: 40 } },
      { partitionkey: "ben", keyversion: 1, source: "/apps/default/commands/withdraw" },
    ]);
  });

  it("[CMD-9] judges the payload by the handler's own schema, and a misfit is a rejection", async () => {
    expect((await withdraw("much", "cem")).body).toMatchObject({ status: "rejected", reason: "amount is a number." });
  });
});

describe("a command's definition", () => {
  it("[CMD-1] is made, shown, listed, changed and deleted, each change with its row in the audit log", async () => {
    const target = IN_HUB("tell");
    const made = await define("books", { target, schema: { type: "object" }, timeout: "2s" });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      name: "books",
      topic: "of-books",
      target,
      schema: { type: "object" },
      maxAttempts: 20,
      timeout: "2s",
      description: null,
    });
    expect((await define("books", { target, schema: { type: "object" }, timeout: "2s" })).status).toBe(200);
    expect((await define("books", { target, maxAttempts: 5 })).body).toMatchObject({ maxAttempts: 5, schema: null });
    expect((await hub.json("GET", "/v1/commands/books")).body).toMatchObject({ name: "books", timeout: "5s" });
    const { body: list } = await hub.json<{ items: { name: string }[] }>("GET", "/v1/commands");
    expect(list.items.map(({ name }) => name)).toContain("books");
    expect((await hub.request("/v1/commands/books", { method: "DELETE" })).status).toBe(204);
    expect((await hub.json("GET", "/v1/commands/books")).body).toMatchObject({ code: "command_not_found" });
    expect(await send("books", { payload: {} })).toMatchObject({ status: 404, body: { code: "command_not_found" } });
    const audit = await hub.json<{ items: { action: string }[] }>("GET", "/v1/audit?subject=books");
    const actions = ["command.created", "command.changed", "command.deleted"];
    expect(audit.body.items.map(({ action }) => action).toSorted()).toEqual(actions.toSorted());
  });

  it("[CMD-1] makes its topic, with the index that keys need, to keep everything", async () => {
    await define("fresh", { topic: "fresh-topic" });
    const { body: topic } = await hub.json("GET", "/v1/topics/fresh-topic");
    expect([topic["index"], topic["retention"]]).toEqual(["key", {}]);
    await hub.publish("plain", { type: "t" });
    await tellOn("plain");
    expect((await send("tell", { payload: {} })).body).toMatchObject({ status: "accepted" });
    expect(await send("tell", { payload: {}, key: "k" })).toMatchObject({ body: { code: "index_required" } });
  });

  it("[CMD-1] is refused without a handler that is there", async () => {
    expect((await define("x", { target: IN_HUB("analytics") })).body.code).toBe("listener_not_found");
    expect((await define("x", { target: { kind: "worker", binding: "CONSUMER_X" } })).body.code).toBe(
      "worker_not_found",
    );
    await define("x", { target: { kind: "worker", binding: "CONSUMER_NONE" } });
    expect(await send("x", { payload: {} })).toMatchObject({ status: 424, body: { code: "command_failed" } });
  });
});

describe("a command", () => {
  it("[CMD-2] keeps to the schema, or is refused with a pointer to each violation and not decided", async () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    await tellOn("checked", { schema });
    const before = lastDecision();
    const { status, body } = await send("tell", { payload: { n: "one" }, key: "k" });
    expect([status, body.code]).toEqual([422, "command_invalid"]);
    expect(body.errors).toMatchObject([{ pointer: "/payload/n" }]);
    expect(lastDecision()).toBe(before);
    expect((await send("tell", { payload: { n: 1 }, key: "k" })).body.status).toBe("accepted");
  });

  it("[CMD-3] appends all of its events together, in one partition whatever the key, or none", async () => {
    await hub.json("PUT", "/v1/topics/wide", { partitions: 8, index: "key" });
    await tellOn("wide");
    const three = [1, 2, 3].map((n) => ({ type: "part", data: n }));
    for (const key of ["a", "b", undefined]) {
      const { body } = await send("tell", { payload: { events: three }, ...(key !== undefined && { key }) });
      expect(new Set(body.events.map(({ partition }) => partition)).size).toBe(1);
      expect(body.events.map(({ keyVersion }) => keyVersion)).toEqual(
        key === undefined ? [undefined, undefined, undefined] : [1, 2, 3],
      );
    }
    const half = [{ type: "part" }, { type: "" }];
    expect(await send("tell", { payload: { events: half }, key: "a" })).toMatchObject({ status: 424 });
    expect((await hub.readAll("wide")).length).toBe(9);
    expect((await send("tell", { payload: { events: [] }, key: "a" })).body).toMatchObject({
      status: "accepted",
      events: [],
    });
    // That of the key, where a publish by hand goes as well, so that its state holds both.
    for (const key of ["a", "b"]) {
      const [byHand] = (await hub.publish("wide", { type: "part", key })).body.events;
      const { body } = await send("tell", { payload: { events: [{ type: "part" }] }, key });
      expect(body.events).toMatchObject([{ partition: byHand!.partition, keyVersion: 5 }]);
      expect(lastDecision()).toMatchObject({ state: 4, version: 4 });
    }
  });

  it("[CMD-8] runs only on the version that its sender saw, if it says one", async () => {
    await tellOn("expected");
    const sendAt = (expectedKeyVersion: number) => send("tell", { payload: {}, key: "k", expectedKeyVersion });
    expect((await sendAt(0)).body.status).toBe("accepted");
    expect(await sendAt(0)).toMatchObject({ status: 412, body: { code: "version_conflict", actual: 1 } });
    expect((await sendAt(1)).body.status).toBe("accepted");
    expect(await sendAt(3)).toMatchObject({ status: 412, body: { actual: 2 } });
  });

  it.each<[string, TellPayload, RegExp]>([
    ["throws", { throws: "secret-words" }, /threw/],
    ["does not answer in time", { hangs: true }, /in time/],
    ["answers nothing", { answers: null }, /threw/],
    ["answers no events", { answers: "yes" }, /threw|no decision/],
    ["says an event's id", { events: [{ type: "t", id: "mine" } as never] }, /its id/],
    ["says another key", { events: [{ type: "t", key: "other" } as never] }, /its key/],
    ["makes an event without a type", { events: [{} as never] }, /type/],
    ["says what JSON cannot", { bigint: true }, /JSON/],
    ["makes too many events", { events: Array.from({ length: 101 }, () => ({ type: "t" })) }, /more events/],
    ["makes an event too large", { events: [{ type: "t", data: "x".repeat(300_000) }] }, /cannot be appended/],
  ])("[CMD-6] whose handler %s has failed, and nothing is appended", async (_what, payload, detail) => {
    await tellOn("failing", { timeout: "400ms" });
    const { status, body } = await send("tell", told(payload));
    expect([status, body.code]).toEqual([424, "command_failed"]);
    expect(body.detail).toMatch(detail);
    expect(JSON.stringify(body)).not.toContain("secret-words");
    expect(await hub.readAll("failing")).toEqual([]);
  });

  it("[CMD-6] whose events break the contract of a topic that enforces it has failed, with pointers", async () => {
    await hub.json("PUT", "/v1/topics/contracted", { index: "key", schemaPolicy: "enforce" });
    await hub.json("PUT", "/v1/schemas/counted.n", {
      schema: { type: "object", properties: { n: { type: "integer" } } },
    });
    await tellOn("contracted");
    const events = (n: unknown) => [{ type: "counted.n", data: { n } }];
    const refused = await send("tell", told({ events: events("one") }));
    expect([refused.status, refused.body.code]).toEqual([424, "command_failed"]);
    expect(refused.body.errors).toMatchObject([{ pointer: "/events/0/data/n" }]);
    expect((await send("tell", told({ events: events(1) }))).body.status).toBe("accepted");
    expect(await hub.readAll("contracted")).toMatchObject([{ schemaversion: 1 }]);
  });

  it("[CMD-7] under an Idempotency-Key happens once, and is answered alike", async () => {
    await tellOn("once");
    const key = { "idempotency-key": "order-1" };
    const first = await send("tell", { payload: {}, key: "k" }, key);
    const again = await send("tell", { payload: {}, key: "k" }, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await send("tell", { payload: { rejected: "no" }, key: "k" }, key);
    expect([other.status, other.body.code]).toEqual([422, "idempotency_key_reused"]);
    expect((await hub.readAll("once")).length).toBe(1);
  });

  it("[CMD-7] is not decided again when its first answer was lost behind the append", async () => {
    await tellOn("lost");
    const key = { "idempotency-key": "lost-1" };
    const first = await send("tell", { payload: {}, key: "k" }, key);
    await send("tell", { payload: {}, key: "k" });
    await (await hub.database()).prepare("DELETE FROM idempotency_keys WHERE key = 'lost-1'").run();
    const again = await send("tell", { payload: {}, key: "k" }, key);
    expect(again.body).toMatchObject({ status: "accepted", attempts: 0 });
    expect(again.body.events).toEqual(first.body.events.map((receipt) => ({ ...receipt, duplicate: true })));
    expect((await hub.readAll("lost")).length).toBe(2);
    expect(decisionsOf(lastDecision().id)).toHaveLength(1);
  });

  it("[CMD-5, CMD-12] that was overtaken is decided again, on what has happened meanwhile", async () => {
    await tellOn("overtaken");
    const before = lastDecision();
    const slow = send("tell", told({ waitsMs: 1_500 }));
    await eventually(lastDecision, (line) => line !== before, "it is being decided");
    await hub.publish("overtaken", { type: "quick", key: "k" });
    expect((await slow).body).toMatchObject({ status: "accepted", attempts: 2, events: [{ keyVersion: 2 }] });
    expect(await hub.readAll("overtaken")).toMatchObject([{ type: "quick" }, { data: { saw: 1, version: 1 } }]);
  });

  it("[CMD-5] that is overtaken each time ends, and has appended nothing", async () => {
    await define("race", { topic: "contended", maxAttempts: 1 });
    const racers = Array.from({ length: 12 }, (_, racer) => send("race", { payload: { racer }, key: "k" }));
    const answers = await Promise.all(racers);
    const accepted = answers.filter(({ status }) => status === 200);
    const contended = answers.filter(({ status }) => status !== 200);
    expect(contended.length).toBeGreaterThan(0);
    for (const { status, body } of contended) expect([status, body.code]).toEqual([409, "command_contended"]);
    expect((await hub.readAll("contended")).length).toBe(accepted.length);
  });

  it("[CMD-14] is delivered at once to subscriptions that a publish waits for", async () => {
    await hub.json("PUT", "/v1/subscriptions/at-once", {
      topics: ["awaited"],
      mode: "sync",
      target: { kind: "listener", name: "analytics" },
    });
    await tellOn("awaited");
    expect((await send("tell", { payload: {}, key: "k" })).body.sync).toMatchObject([{ outcome: "delivered" }]);
  });
});

describe("[CMD-13] the scopes of commands", () => {
  const keyOf = async (scopes: readonly string[]): Promise<Record<string, string>> => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
    return { authorization: `Bearer ${body.key}` };
  };

  it("let send what is named, and publish nothing", async () => {
    await tellOn("scoped");
    const sender = await keyOf(["publish:$commands.tell"]);
    expect((await send("tell", { payload: {}, key: "k" }, sender)).status).toBe(200);
    expect((await send("withdraw", { payload: {}, key: "k" }, sender)).body.code).toBe("scope_missing");
    expect((await hub.publish("scoped", { type: "t" }, sender)).status).toBe(403);
    const { body } = await hub.json<{ items: { name: string }[] }>("GET", "/v1/commands", undefined, sender);
    expect(body.items.map(({ name }) => name)).toEqual(["tell"]);
    const changed = await hub.json("PUT", "/v1/commands/tell", { topic: "scoped", target: IN_WORKER }, sender);
    expect(changed.body).toMatchObject({ code: "scope_missing" });
  });

  it("let define only what may be published to", async () => {
    const definer = await keyOf(["manage:$commands.*", "publish:own.*"]);
    const put = (topic: string) =>
      hub.json("PUT", "/v1/commands/made", { topic, target: IN_WORKER }, definer).then(({ status }) => status);
    expect([await put("other"), await put("own.topic")]).toEqual([403, 201]);
    expect((await send("made", { payload: {} }, definer)).body.code).toBe("scope_missing");
    const publisher = await keyOf(["publish:**"]);
    expect((await send("made", { payload: {} }, publisher)).body.code).toBe("scope_missing");
  });
});

it("[QUO-3] each attempt of a command counts, the one that lost its race too", async () => {
  const inMarket = { "tidings-app": "market" };
  await hub.json("POST", "/v1/apps", { name: "market", quotas: { eventsPerDay: 3 } });
  const definition = { topic: "stalls", target: IN_WORKER };
  expect((await hub.json("PUT", "/v1/commands/tell", definition, inMarket)).status).toBe(201);
  const before = lastDecision();
  const sent = send("tell", told({ waitsMs: 1_500 }), inMarket);
  await eventually(lastDecision, (decision) => decision !== before, "it is being decided");
  const rival = { type: "told", key: "k" };
  expect((await hub.publish("stalls", rival, inMarket)).status).toBe(201);
  expect((await sent).body).toMatchObject({ status: "accepted", attempts: 2 });
  const fourth = await hub.json("POST", "/v1/topics/stalls/events", rival, inMarket);
  expect(fourth).toMatchObject({ status: 429, body: { code: "quota_exceeded", limit: 3, actual: 4 } });
});
