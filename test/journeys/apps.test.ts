import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { startHub, type Answer, type Hub, type Page } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { TestSocket, type HubMessage } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const NEVER = Number.MAX_SAFE_INTEGER;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const inApp = (name: string): Record<string, string> => ({ "tidings-app": name });
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const make = (name: string, more: object = {}): Promise<Answer<Record<string, unknown>>> =>
  hub.json("POST", "/v1/apps", { name, ...more });

async function makeKey(app: string, scopes: readonly string[] = ["admin"]): Promise<string> {
  return (await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes, app })).body.key;
}

async function idOf(app: string): Promise<string> {
  const database = await hub.database();
  return (await database.prepare("SELECT id FROM apps WHERE name = ?").bind(app).first<string>("id"))!;
}

const openSocket = (key: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${key}`);

const isTold = ({ op, problem }: HubMessage): boolean =>
  op === "error" && (problem as { readonly code: string }).code === "credential_revoked";

async function rowsOf(table: string, app: string): Promise<number> {
  const database = await hub.database();
  const column = table === "apps" ? "id" : "app";
  return (await database
    .prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`)
    .bind(app)
    .first<number>("n"))!;
}

describe("apps", () => {
  it("[ACC-16] are made, shown, listed and changed by name", async () => {
    const more = { origins: ["https://shop.example"], quotas: { topics: 5 } };
    const made = await make("shop", more);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "shop", ...more });
    expect((await hub.json("GET", "/v1/apps/shop")).body).toEqual(made.body);
    expect(await make("shop")).toMatchObject({ status: 409, body: { code: "app_conflict" } });

    const changed = await hub.json("PATCH", "/v1/apps/shop", { origins: [] });
    expect([changed.status, changed.body["origins"], changed.body["quotas"]]).toEqual([200, [], { topics: 5 }]);
    const cleared = await hub.json("PATCH", "/v1/apps/shop", { origins: null, quotas: { sockets: 2 } });
    expect(cleared.body).toMatchObject({ origins: null, quotas: { sockets: 2 } });
    expect((await hub.json("GET", "/v1/apps/shop")).body).toEqual(cleared.body);

    await make("aardvark");
    const names: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Answer<{ items: { name: string }[]; cursor: string | null }> = await hub.json(
        "GET",
        `/v1/apps?limit=1&cursor=${cursor}`,
      );
      names.push(...page.body.items.map(({ name }) => name));
      cursor = page.body.cursor;
    }
    expect(names).toEqual(["aardvark", "default", "shop"]);
  });

  it("[ACC-16] are nobody's business but the root key's, there or not", async () => {
    const key = await makeKey("default");
    for (const [method, path] of [
      ["GET", "/v1/apps"],
      ["POST", "/v1/apps"],
      ["GET", "/v1/apps/default"],
      ["GET", "/v1/apps/nowhere"],
      ["PATCH", "/v1/apps/nowhere"],
      ["DELETE", "/v1/apps/default"],
      ["DELETE", "/v1/apps/nowhere"],
    ] as const) {
      const { status, body } = await hub.json(method, path, method === "GET" ? undefined : {}, bearer(key));
      expect([method, path, status, body["code"]]).toEqual([method, path, 403, "scope_missing"]);
    }
    for (const method of ["GET", "PATCH", "DELETE"]) {
      expect(await hub.json(method, "/v1/apps/nowhere", method === "GET" ? undefined : {})).toMatchObject({
        status: 404,
        body: { code: "app_not_found" },
      });
    }
  });

  it("[ACC-16] made by several at once are made once, and changed by several lose no change", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => make("contested")));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array<number>(9).fill(409)]);
    const change = (body: object) => hub.json("PATCH", "/v1/apps/contested", body);
    await Promise.all([change({ quotas: { topics: 7 } }), change({ origins: ["https://a.example"] })]);
    expect((await hub.json("GET", "/v1/apps/contested")).body).toMatchObject({
      quotas: { topics: 7 },
      origins: ["https://a.example"],
    });
  });

  it("[ACC-24] that are asked for wrongly are not made", async () => {
    for (const body of [{}, { name: "No" }, { name: "no", origins: ["*"] }, { name: "no", quotas: { topics: 0 } }]) {
      const { status, body: problem } = await hub.json("POST", "/v1/apps", body);
      expect([status, problem["code"]]).toEqual([422, "app_invalid"]);
    }
    expect((await hub.json("GET", "/v1/apps/no")).status).toBe(404);
  });

  it("[ACC-18] end at once, with their keys and sockets", async () => {
    await make("ending");
    const key = await makeKey("ending");
    await hub.publish("t", { type: "t" }, bearer(key));
    const socket = await openSocket(key);
    expect((await hub.json("DELETE", "/v1/apps/ending")).status).toBe(204);
    expect(await hub.publish("t", { type: "t" }, bearer(key))).toMatchObject({
      status: 401,
      body: { code: "unauthenticated" },
    });
    for (const [method, path] of [
      ["GET", "/v1/topics"],
      ["DELETE", "/v1/apps/ending"],
    ] as const) {
      expect(await hub.json(method, path, undefined, inApp("ending"))).toMatchObject({
        status: 404,
        body: { code: "app_not_found" },
      });
    }
    await socket.message(isTold, "the socket is told");
    await expect(openSocket(key)).rejects.toThrow();
  });

  it("[ACC-18] leave nothing for the next of their name", async () => {
    const sink = await Sink.open();
    const fill = async (): Promise<string> => {
      await make("again");
      const key = await makeKey("again");
      const target = { kind: "webhook", url: sink.url };
      const put = await hub.json("PUT", "/v1/subscriptions/s", { topics: ["**"], target }, bearer(key));
      expect(put.status).toBe(201);
      return key;
    };
    const first = await fill();
    for (let count = 0; count < 3; count += 1) await hub.publish("orders", { type: "old" }, bearer(first));
    await sink.until(({ accepted }) => accepted.length === 3);
    const page = await hub.json<Page>("GET", "/v1/topics/orders/events", undefined, bearer(first));
    await hub.json("DELETE", "/v1/apps/again");

    const second = await fill();
    const list = async (path: string) =>
      (await hub.json<{ items: object[] }>("GET", path, undefined, bearer(second))).body.items;
    expect(await list("/v1/topics")).toEqual([]);
    expect(await list("/v1/subscriptions")).toHaveLength(1);
    expect(await list("/v1/keys")).toHaveLength(1);
    const before = await hub.json("GET", "/v1/topics/orders/events", undefined, bearer(second));
    expect([before.status, before.body["code"]]).toEqual([404, "topic_not_found"]);
    const published = await hub.publish("orders", { type: "new" }, bearer(second));
    expect(published.body.events[0]).toMatchObject({ offset: 1 });
    const cursor = `/v1/topics/orders/events?from=cursor:${page.body.cursor}`;
    const resumed = await hub.json<Page>("GET", cursor, undefined, bearer(second));
    expect(resumed.body.events.map(({ type }) => type)).toEqual(["new"]);
    expect(resumed.body.gap).toMatchObject({ reason: "epoch" });
    await sink.until(({ accepted }) => accepted.length === 4);
    expect(sink.accepted.map(({ event }) => event.type)).toEqual(["old", "old", "old", "new"]);
    const report = await hub.json("GET", "/v1/subscriptions/s", undefined, bearer(second));
    expect(report.body["stats"]).toMatchObject({ matched: 1 });
    expect((await hub.publish("orders", { type: "old" }, bearer(first))).status).toBe(401);
    await sink.close();
  });

  it("[ACC-18] named default stay", async () => {
    expect(await hub.json("DELETE", "/v1/apps/default")).toMatchObject({ status: 409, body: { code: "app_reserved" } });
    expect((await hub.json("GET", "/v1/topics")).status).toBe(200);
  });

  it("[ACC-19] that ended half way are cleared by the cron, to the last row and socket", async () => {
    await make("crashed");
    const app = await idOf("crashed");
    const key = await makeKey("crashed");
    const target = { kind: "listener", name: "analytics" };
    await hub.publish("t", { type: "t" }, bearer(key));
    await hub.json("PUT", "/v1/subscriptions/s", { topics: ["**"], target }, bearer(key));
    const socket = await openSocket(key);
    const database = await hub.database();
    const run = (sql: string) => database.prepare(sql).bind(app).run();
    // What is there when the Worker dies behind its batch, some time ago; a request under way then made a topic.
    await run("UPDATE apps SET name = id, deleted_at = 1 WHERE id = ?");
    await run(
      `INSERT INTO access_changes (app, kind, subject, at, expires_at, settled) VALUES (?1, 'app', ?1, 1, ${NEVER}, 0)`,
    );
    await eventually(
      () => hub.publish("t", { type: "t" }, bearer(key)),
      ({ status }) => status === 401,
      "every isolate has heard",
    );
    const tables = ["apps", "topics", "subscriptions", "api_keys", "analytics_counts"];
    const left = async (): Promise<number[]> => {
      await hub.runCron();
      await run("UPDATE topics SET deleted_at = 1 WHERE app = ? AND deleted_at IS NOT NULL"); // Else ten seconds pass.
      return Promise.all(tables.map((table) => rowsOf(table, app)));
    };
    await eventually(left, (rows) => rows.every((count) => count === 0), "every row is gone");
    expect(await hub.rows("TopicLog", objectName("log", app, "t", 0), "SELECT * FROM segments")).toEqual([]);
    await socket.message(isTold, "the socket is told");
  });

  it("[ACC-20] leave their changes in the audit log, each with what it was and became", async () => {
    await make("told", { quotas: { topics: 5 } });
    const app = await idOf("told");
    await hub.json("PATCH", "/v1/apps/told", { quotas: { topics: 5 } }); // Changes nothing, and is no change.
    await hub.json("PATCH", "/v1/apps/told", { origins: ["https://shop.example"] });
    await make("told");
    await hub.json("DELETE", "/v1/apps/told");
    const database = await hub.database();
    // The end stands where somebody can still read it.
    const sql = "SELECT * FROM audit WHERE app = ?1 OR (app = 'app_default' AND subject = 'told') ORDER BY seq";
    const { results } = await database.prepare(sql).bind(app).all();
    const shown = { name: "told", origins: null, quotas: { topics: 5 } };
    const changed = { ...shown, origins: ["https://shop.example"] };
    expect(results.map(({ action }) => action)).toEqual(["app.created", "app.changed", "app.deleted"]);
    expect(results.map((row) => row["app"])).toEqual([app, app, "app_default"]);
    expect(results.map(({ actor, subject }) => [actor, subject])).toEqual(
      Array.from({ length: 3 }, () => ["root", "told"]),
    );
    expect(results.map(({ before }) => JSON.parse(before as string) as unknown)).toMatchObject([null, shown, changed]);
    expect(results.map(({ after }) => JSON.parse(after as string) as unknown)).toMatchObject([shown, changed, null]);
  });
});
