import { Parser } from "@asyncapi/parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../builders/tokens.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  const schema = {
    type: "object",
    title: "An order",
    properties: { total: { type: "number" } },
    examples: [{ total: 5 }],
  };
  await hub.json("PUT", "/v1/schemas/order.created", { schema, owner: "sales" });
  await hub.json("PUT", "/v1/schemas/order.paid", { schema: { title: "Money" } });
  await hub.json("PUT", "/v1/schemas/order.paid", { schema: { title: "A payment" } });
  await hub.json("PUT", "/v1/topics/orders", { partitions: 2, schemaPolicy: "enforce" });
  const subscribe = (name: string, more: object) =>
    hub.json("PUT", `/v1/subscriptions/${name}`, { topics: ["orders"], target: { kind: "pull" }, ...more });
  await subscribe("large", { filter: { type: ["order.created"], data: { total: [{ numeric: [">", 100] }] } } });
  await subscribe("paid", { filter: { type: ["order.paid"] } });
  await subscribe("everything", { schemas: { "order.created": 1 } });
  await hub.publish("orders", { type: "order.created", source: "/shop", data: { total: 7 } });
  await hub.publish("orders", [{ type: "order.noted" }, { type: "order.noted" }, { type: "order.created", data: {} }]);
  await hub.read("orders");
});
afterAll(() => hub.close());

interface AsyncApi {
  readonly channels: Record<string, { readonly messages: object }>;
  readonly operations: object;
  readonly components: { readonly messages: object };
}

interface Catalog {
  readonly items: readonly {
    readonly type: string;
    readonly version: number | null;
    readonly lastSeenAt: string | null;
    readonly producers: readonly { readonly source: string; readonly topic: string }[];
    readonly readers: readonly { readonly key: string; readonly by: string }[];
    readonly consumers: readonly { readonly subscription: string }[];
  }[];
  readonly cursor: string | null;
}

describe("the catalog", () => {
  it("[CAT-3] shows each type with its newest version, what it says of itself, and who reads it", async () => {
    const { body } = await hub.json<Catalog>("GET", "/v1/catalog");
    expect(body.items.map(({ type }) => type)).toEqual(["order.created", "order.noted", "order.paid"]);
    expect(body.items[0]).toMatchObject({
      version: 1,
      owner: "sales",
      title: "An order",
      description: null,
      examples: [{ total: 5 }],
      consumers: [
        { subscription: "large", fields: ["/type", "/data/total"], version: null },
        { subscription: "everything", fields: [], version: 1 },
      ].toSorted((left, right) => (left.subscription < right.subscription ? -1 : 1)),
    });
    expect(body.items[2]).toMatchObject({
      version: 2,
      title: "A payment",
      consumers: [{ subscription: "everything" }, { subscription: "paid" }],
    });
    const first = await hub.json<Catalog>("GET", "/v1/catalog?limit=1");
    expect(first.body.cursor).toBe("order.created");
    const rest = await hub.json<Catalog>("GET", `/v1/catalog?limit=5&cursor=${first.body.cursor!}`);
    expect(rest.body).toMatchObject({ items: [{ type: "order.noted" }, { type: "order.paid" }], cursor: null });
  });

  it("[CAT-3] says whom a change of a field concerns", async () => {
    const readersOf = async (field: string): Promise<string[]> => {
      const { body } = await hub.json<Catalog>("GET", `/v1/catalog?field=${field}`);
      return body.items[0]!.consumers.map(({ subscription }) => subscription);
    };
    expect(await readersOf("/data/total")).toEqual(["large"]);
    expect(await readersOf("/data")).toEqual(["large"]);
    expect(await readersOf("/data/note")).toEqual([]);
  });

  it("[CAT-5] shows who was seen to publish and to read, also of a type that has no schema", async () => {
    const look = async () => (await hub.json<Catalog>("GET", "/v1/catalog")).body.items;
    const isThere = ([type]: Catalog["items"]) => type!.readers.length > 0 && type!.producers.length > 1;
    const [created, noted, paid] = await eventually(look, isThere, "what was seen is written beside the answers");
    expect(created!.producers.map(({ source, topic }) => [source, topic])).toEqual([
      ["/apps/default", "orders"],
      ["/shop", "orders"],
    ]);
    expect(created!.readers.map(({ key, by }) => [key, by])).toEqual([["root", "page"]]);
    expect(Date.now() - Date.parse(noted!.lastSeenAt!)).toBeLessThan(3_600_000);
    expect([noted!.version, noted!.producers.length]).toEqual([null, 1]);
    expect([paid!.producers, paid!.lastSeenAt]).toEqual([[], null]);
  });

  it("[CAT-6] says who breaks if a field changes", async () => {
    const impactOf = (field: string) => hub.json("GET", `/v1/catalog/order.created/impact?field=${field}`);
    const { body } = await impactOf("/data/total");
    expect(body).toMatchObject({
      type: "order.created",
      field: "/data/total",
      filters: [{ subscription: "large", fields: ["/data/total"] }],
      pins: [{ subscription: "everything", version: 1 }],
      upcasts: [],
      consumers: ["everything", "large"],
    });
    await hub.json("PUT", "/v1/schemas/order.moved", { schema: { properties: { a: { type: "string" } } } });
    const schema = { properties: { b: { type: "string" } } };
    const upcast = [{ op: "rename", path: "/a", to: "b" }];
    await hub.json("PUT", "/v1/schemas/order.moved", { schema, upcast, compatibility: "none" });
    const moved = await hub.json("GET", "/v1/catalog/order.moved/impact?field=/data/a");
    expect(moved.body["upcasts"]).toEqual([{ version: 2, steps: ["rename"] }]);
    expect((await impactOf("/data/note")).body["filters"]).toEqual([]);
  });

  it("[CAT-4] shows the flows, as JSON and as a flowchart", async () => {
    const { body } = await hub.json("GET", "/v1/topology");
    expect(body).toMatchObject({
      complete: true,
      topics: [{ name: "orders", partitions: 2, schemaPolicy: "enforce" }],
    });
    expect((body["flows"] as { topics: string[] }[]).map(({ topics }) => topics)).toEqual([
      ["orders"],
      ["orders"],
      ["orders"],
    ]);
    const chart = await hub.request("/v1/topology", { headers: { accept: "text/vnd.mermaid" } });
    expect(chart.headers.get("content-type")).toBe("text/vnd.mermaid; charset=utf-8");
    expect(await chart.text()).toMatch(/^flowchart LR\n  t0\[\["orders"\]\]\n/);
    const sruja = await hub.request("/v1/topology", { headers: { accept: "text/vnd.sruja" } });
    expect(sruja.headers.get("content-type")).toBe("text/vnd.sruja; charset=utf-8");
    expect(await sruja.text()).toContain('T0 = queue "orders" {');
  });

  it("[CAT-3, CAT-4] and the flows are for admins of the app", async () => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", {
      name: "n",
      scopes: ["manage:**", "history:$schemas.**"],
    });
    for (const path of ["/v1/catalog", "/v1/topology", "/v1/catalog/order.created/impact"])
      expect([path, (await hub.json("GET", path, undefined, bearer(body.key))).status]).toEqual([path, 403]);
    await hub.json("POST", "/v1/apps", { name: "others" });
    const others = await hub.json("GET", "/v1/topology", undefined, { "tidings-app": "others" });
    expect(others.body).toEqual({ producers: [], topics: [], flows: [], complete: true });
  });

  it("[CAT-5] names each way of reading, and writes nothing again that it saw within the hour", async () => {
    const database = await hub.database();
    const rows = async (): Promise<unknown[]> =>
      (await database.prepare("SELECT * FROM sightings ORDER BY first_at").all()).results;
    const before = await rows();
    const socket = await hub.connect();
    await socket.subscribe("orders");
    const accept = { accept: "text/event-stream" };
    const stream = await hub.request("/v1/topics/orders/events", { headers: accept });
    for (const more of [{}, { source: "/desk" }]) await hub.publish("orders", { type: "order.noted", ...more });
    await hub.read("orders");
    const added = await eventually(
      async () => (await rows()).slice(before.length) as { role: string; type: string; who: string }[],
      (found) => found.length >= 3,
      "what is new was seen",
    );
    expect(added.map(({ role, type, who }) => `${role} ${type} ${who}`).toSorted()).toEqual([
      "producer order.noted /desk",
      "reader  root socket",
      "reader  root stream",
    ]);
    expect((await rows()).slice(0, before.length)).toEqual(before);
    await Promise.all([socket.close(), stream.body!.cancel()]);
  });
});

describe("the contract on the wire", () => {
  it("[DOC-1] is served without a credential, for the address by which the hub is reached", async () => {
    const answer = await fetch(`${hub.url}/v1/openapi.json`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ openapi: "3.1.0", servers: [{ url: hub.url }] });
  });

  it("[DOC-6] tells a credential of the topics and schemas that it may see, and of what it may do there", async () => {
    await hub.json("PUT", "/v1/topics/hidden", {});
    const scopes = ["publish:orders", "history:audit.**"];
    const { body: key } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes });
    const { body: narrow } = await hub.json<AsyncApi>("GET", "/v1/asyncapi.json", undefined, bearer(key.key));
    expect(Object.keys(narrow.channels)).toEqual(["orders"]);
    expect(Object.keys(narrow.operations)).toEqual(["publish.orders"]);
    expect(Object.keys(narrow.components.messages)).toEqual(["ANY"]);
    const { body: whole } = await hub.json<AsyncApi>("GET", "/v1/asyncapi.json");
    expect(Object.keys(whole.channels).toSorted()).toContain("hidden");
    expect(Object.keys(whole.components.messages)).toEqual(
      expect.arrayContaining(["order.created", "order.paid", "order.noted"]),
    );
    expect(Object.keys(whole.channels["orders"]!.messages).toSorted()).toEqual(["order.created", "order.noted"]);
    // The last of this file: while the parser works, connections of the hub's that nobody looks at are closed.
    const complaints = await new Parser().validate(JSON.stringify(whole));
    expect(complaints.filter(({ code }) => code !== "asyncapi-latest-version")).toEqual([]);
  });
});
