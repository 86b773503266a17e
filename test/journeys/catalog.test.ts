import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../builders/tokens.ts";
import { startHub, type Hub } from "../harness/hub.ts";

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
  await hub.json("PUT", "/v1/schemas/order.paid", { schema: true });
  await hub.json("PUT", "/v1/topics/orders", { partitions: 2, schemaPolicy: "enforce" });
  const subscribe = (name: string, more: object) =>
    hub.json("PUT", `/v1/subscriptions/${name}`, { topics: ["orders"], target: { kind: "pull" }, ...more });
  await subscribe("large", { filter: { type: ["order.created"], data: { total: [{ numeric: [">", 100] }] } } });
  await subscribe("paid", { filter: { type: ["order.paid"] } });
  await subscribe("everything", { schemas: { "order.created": 1 } });
});
afterAll(() => hub.close());

interface Catalog {
  readonly items: readonly {
    readonly type: string;
    readonly consumers: readonly { readonly subscription: string }[];
  }[];
  readonly cursor: string | null;
}

describe("the catalog", () => {
  it("[CAT-3] shows each type with its newest version, what it says of itself, and who reads it", async () => {
    const { body } = await hub.json<Catalog>("GET", "/v1/catalog");
    expect(body.items.map(({ type }) => type)).toEqual(["order.created", "order.paid"]);
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
    const first = await hub.json<Catalog>("GET", "/v1/catalog?limit=1");
    expect(first.body.cursor).toBe("order.created");
    const rest = await hub.json<Catalog>("GET", `/v1/catalog?limit=5&cursor=${first.body.cursor!}`);
    expect(rest.body).toMatchObject({ items: [{ type: "order.paid" }], cursor: null });
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
  });

  it("[CAT-4] and the flows are for admins of the app", async () => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", {
      name: "n",
      scopes: ["manage:**", "history:$schemas.**"],
    });
    for (const path of ["/v1/catalog", "/v1/topology"])
      expect([path, (await hub.json("GET", path, undefined, bearer(body.key))).status]).toEqual([path, 403]);
    await hub.json("POST", "/v1/apps", { name: "others" });
    const others = await hub.json("GET", "/v1/topology", undefined, { "tidings-app": "others" });
    expect(others.body).toEqual({ topics: [], flows: [], complete: true });
  });
});

describe("the contract on the wire", () => {
  it("[DOC-1] is served without a credential, for the address by which the hub is reached", async () => {
    const answer = await fetch(`${hub.url}/v1/openapi.json`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ openapi: "3.1.0", servers: [{ url: hub.url }] });
  });
});
