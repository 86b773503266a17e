import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const put = (name: string, body: object) => hub.json("PUT", `/v1/policies/${name}`, body);

const retentionOf = async (topic: string): Promise<unknown> => {
  const { body } = await hub.json<{ retention: unknown }>("GET", `/v1/topics/${topic}`);
  return body.retention;
};

describe("a policy", () => {
  it("[CHN-15] binds topics that a first publish or subscribe makes, and no others", async () => {
    await hub.publish("typing.before", { type: "t" });
    expect(await put("signals", { topics: ["typing.*"], retention: "none" })).toMatchObject({
      status: 201,
      body: { name: "signals", topics: ["typing.*"], retention: { maxAge: "1m" }, description: null },
    });
    await put("timed", { topics: ["feed.**", "typing.**"], retention: { maxEvents: 2, maxAge: "1h" } });
    await hub.publish("typing.x", { type: "t" });
    const socket = await hub.connect();
    await socket.subscribe("feed.a.b");
    await hub.json("PUT", "/v1/topics/typing.made", {});
    expect(await retentionOf("typing.x")).toEqual({ maxAge: "1m" });
    expect(await retentionOf("feed.a.b")).toEqual({ maxAge: "1h", maxEvents: 2 });
    expect(await retentionOf("typing.before")).toEqual({ maxAge: "30d" });
    expect(await retentionOf("typing.made")).toEqual({ maxAge: "30d" });
    await hub.publish("typing.x", { type: "t" });
    expect((await hub.readAll("typing.x")).length, "a stumbling reader finds what was said just now").toBe(2);
    for (const type of ["a", "b", "c"]) await hub.publish("feed.a.b", { type });
    const held = async () => (await hub.readAll("feed.a.b")).map(({ type }) => type);
    await eventually(held, (types) => types.length === 2, "two events");
    expect(await held()).toEqual(["b", "c"]);
    await socket.close();
  });

  it("[CHN-7] may keep client events: they are published, and not sent back", async () => {
    await put("kept", { topics: ["private-kept-*"], retention: { clientEvents: true } });
    const [sender, other] = await Promise.all([hub.connect(), hub.connect()]);
    for (const socket of [sender, other]) await socket.subscribe("private-kept-a");
    const event = { type: "client-drawn", data: 1 };
    const answer = await sender.ask({ op: "publish", topic: "private-kept-a", event });
    expect(answer).toMatchObject({ op: "published", receipt: { offset: 1 } });
    await other.message(({ op }) => op === "event");
    await hub.publish("private-kept-a", { type: "marker" });
    await sender.message(({ op }) => op === "event");
    expect(sender.events().map(({ type }) => type)).toEqual(["marker"]);
    expect((await hub.readAll("private-kept-a")).map(({ type }) => type)).toEqual(["client-drawn", "marker"]);
    await hub.json("PUT", "/v1/topics/private-kept-a", { retention: {} });
    const relayed = await sender.ask({ op: "publish", topic: "private-kept-a", event });
    expect(relayed).toMatchObject({ receipt: { stored: false } });
    await Promise.all([sender.close(), other.close()]);
  });

  it("[CHN-16] is made, changed, listed and deleted by admins of its app, each change in the audit log", async () => {
    const definition = { topics: ["a.*"], retention: { maxAge: "2h" }, description: "two hours" };
    expect((await put("listed", definition)).status).toBe(201);
    expect((await put("listed", definition)).status).toBe(200);
    expect((await put("listed", { ...definition, retention: "none" })).status).toBe(200);
    const { body } = await hub.json<{ items: { name: string }[] }>("GET", "/v1/policies");
    expect(body.items.map(({ name }) => name)).toContain("listed");
    expect((await hub.json("GET", "/v1/policies/listed")).body).toMatchObject({ retention: { maxAge: "1m" } });
    expect((await hub.json("DELETE", "/v1/policies/listed")).status).toBe(204);
    expect((await hub.json("GET", "/v1/policies/listed")).status).toBe(404);
    const audit = await hub.json<{ items: { action: string }[] }>("GET", "/v1/audit?subject=listed");
    expect(audit.body.items.map(({ action }) => action).toSorted()).toEqual([
      "policy.changed",
      "policy.created",
      "policy.deleted",
    ]);
    const { body: key } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: ["manage:**"] });
    const narrow = { authorization: `Bearer ${key.key}` };
    for (const method of ["GET", "DELETE"])
      expect((await hub.json(method, "/v1/policies/signals", undefined, narrow)).status).toBe(403);
    await hub.json("POST", "/v1/apps", { name: "policed" });
    const there = await hub.json<{ items: unknown[] }>("GET", "/v1/policies", undefined, { "tidings-app": "policed" });
    expect(there.body.items).toEqual([]);
  });
});
