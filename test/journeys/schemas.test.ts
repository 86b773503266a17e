import { CloudEvent, emitterFor, httpTransport, Mode } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCloudEvent } from "../builders/cloudevents.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

interface Refusal {
  readonly code: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

interface View {
  readonly type: string;
  readonly version: number;
  readonly compatibility: string;
  readonly schema: unknown;
  readonly code?: string;
  readonly errors?: Refusal["errors"];
}

const ORDER = {
  type: "object",
  properties: { id: { type: "string" }, total: { type: "number", minimum: 0 } },
  required: ["id", "total"],
  additionalProperties: false,
};
const WIDER = { ...ORDER, properties: { ...ORDER.properties, note: { type: "string" } } };

const put = (type: string, schema: unknown, more: object = {}, headers: Record<string, string> = {}) =>
  hub.json<View>("PUT", `/v1/schemas/${encodeURIComponent(type)}`, { schema, ...more }, headers);

const pointersOf = ({ errors = [] }: { errors?: Refusal["errors"] }): string[] => errors.map(({ pointer }) => pointer);

async function enforced(topic: string, policy: "warn" | "enforce" = "enforce", more: object = {}): Promise<string> {
  const { body } = await hub.json("PUT", `/v1/topics/${topic}`, { schemaPolicy: policy, ...more });
  expect(body["schemaPolicy"]).toBe(policy);
  return topic;
}

const lastOf = async (topic: string): Promise<WireEvent> => (await hub.readAll(topic)).at(-1)!;

describe("a schema", () => {
  it("[SCH-4] is registered version by version, each held to the one before it", async () => {
    const first = await put("order.kept", ORDER, { owner: "sales" });
    expect([first.status, first.body]).toMatchObject([
      201,
      { type: "order.kept", version: 1, compatibility: "backward", owner: "sales", schema: ORDER },
    ]);
    const again = await put("order.kept", { ...ORDER, required: ["id", "total"] });
    expect([again.status, again.body.version]).toEqual([200, 1]);
    const second = await put("order.kept", WIDER);
    expect([second.status, second.body]).toMatchObject([201, { version: 2, owner: "sales" }]);
    const broken = await put("order.kept", { ...WIDER, required: ["id", "total", "note"] });
    expect([broken.status, broken.body.code, pointersOf(broken.body)]).toEqual([
      409,
      "schema_incompatible",
      ["/schema/properties/note"],
    ]);
    expect((await hub.json("GET", "/v1/schemas/order.kept")).body).toMatchObject({ version: 2, schema: WIDER });
    expect((await hub.json("GET", "/v1/schemas/order.kept/versions/1")).body).toMatchObject({ schema: ORDER });
    const { body } = await hub.json<{ items: View[] }>("GET", "/v1/schemas/order.kept/versions");
    expect(body.items.map(({ version }) => version)).toEqual([1, 2]);
  });

  it("[SCH-4] is kept to the character, but for the whitespace between its tokens", async () => {
    const text = '{ "schema": { "const" : 12345678901234567890.10, "title":"\\u00e9 /" } }';
    const headers = { "content-type": "application/json" };
    await hub.request("/v1/schemas/kept.text", { method: "PUT", headers, body: text });
    const stored = await (await hub.request("/v1/schemas/kept.text")).text();
    expect(stored).toContain('"schema":{"const":12345678901234567890.10,"title":"\\u00e9 /"}');
  });

  it("[SCH-4] keeps its mode for the versions to come, and may be given another", async () => {
    await put("order.moded", ORDER, { compatibility: "full" });
    const wider = await put("order.moded", WIDER);
    expect([wider.body.code, pointersOf(wider.body)]).toEqual(["schema_incompatible", ["/schema/properties/note"]]);
    const changed = await put("order.moded", ORDER, { compatibility: "none" });
    expect([changed.status, changed.body]).toMatchObject([200, { version: 1, compatibility: "none" }]);
    expect((await put("order.moded", { type: "string" })).body).toMatchObject({ version: 2, compatibility: "none" });
  });

  it("[SCH-4] registered twenty times at once makes one version of each", async () => {
    const schemas = Array.from({ length: 20 }, (_, index) => ({ ...ORDER, title: `${index % 5}` }));
    const answers = await Promise.all(schemas.map((schema) => put("order.raced", schema)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
    const { body } = await hub.json<{ items: View[] }>("GET", "/v1/schemas/order.raced/versions");
    expect(body.items.map(({ version }) => version)).toEqual(body.items.map((_, index) => index + 1));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(body.items.length);
  });

  it("[SCH-5] is compared beforehand, and nothing changes", async () => {
    await put("order.checked", ORDER);
    const check = (body: object) =>
      hub.json<{ compatible: boolean; differences: object[] }>("POST", "/v1/schemas/order.checked/check", body);
    expect((await check({ schema: WIDER })).body).toEqual({
      compatible: true,
      compatibility: "backward",
      differences: [],
    });
    const narrower = { ...ORDER, properties: { ...ORDER.properties, total: { type: "integer", minimum: 0 } } };
    expect((await check({ schema: narrower, compatibility: "full" })).body).toEqual({
      compatible: false,
      compatibility: "full",
      differences: [
        { pointer: "/schema/properties/total/type", rule: "type", breaks: "writers", version: 1, certain: true },
      ],
    });
    expect((await hub.json("GET", "/v1/schemas/order.checked")).body).toMatchObject({ version: 1, schema: ORDER });
  });

  it("[SCH-6] is for who may manage or read its type, and for no other app", async () => {
    const scopes = ["manage:$schemas.narrow.*", "history:$schemas.read.*", "publish:**"];
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes });
    const headers = { authorization: `Bearer ${body.key}` };
    await put("read.a", ORDER);
    await put("secret.a", ORDER);
    expect((await put("narrow.a", ORDER, {}, headers)).status).toBe(201);
    for (const type of ["read.a", "secret.a", "never.a"])
      expect([type, (await put(type, ORDER, {}, headers)).body.code]).toEqual([type, "scope_missing"]);
    const look = (path: string) => hub.json("GET", `/v1/schemas${path}`, undefined, headers);
    expect((await look("/read.a")).status).toBe(200);
    for (const path of ["/secret.a", "/secret.a/versions", "/secret.a/versions/1", "/never.a"])
      expect([path, (await look(path)).status]).toEqual([path, 403]);
    const listed = (await look("?limit=1000")).body as { items?: { type: string }[] };
    expect(listed.items!.map(({ type }) => type)).toEqual(["narrow.a", "read.a"]);
    await hub.json("POST", "/v1/apps", { name: "others" });
    const others = await hub.json("GET", "/v1/schemas", undefined, { "tidings-app": "others" });
    expect(others.body).toEqual({ items: [], cursor: null });
  });

  it("[SCH-7] stands in the audit log with each version and change", async () => {
    await put("order.audited", ORDER);
    await put("order.audited", WIDER);
    await put("order.audited", WIDER, { owner: "sales" });
    await put("order.audited", WIDER, { owner: "sales" });
    await put("order.audited", WIDER, { compatibility: "full" });
    const { body } = await hub.json<{ items: { action: string; after: object; before: object | null }[] }>(
      "GET",
      "/v1/audit?subject=order.audited",
    );
    const told = body.items.map(({ action, before, after }) => ({ action, before, after }));
    expect(told).toMatchObject([
      { action: "schema.registered", before: null, after: { version: 1 } },
      { action: "schema.registered", before: { version: 1 }, after: { version: 2, owner: null } },
      { action: "schema.changed", before: { owner: null }, after: { version: 2, owner: "sales" } },
      { action: "schema.changed", before: { compatibility: "backward" }, after: { compatibility: "full" } },
    ]);
  });

  it("[SCH-4] of a type with a slash and other signs is found by it", async () => {
    const type = "com.example/order:créé?v=1";
    expect((await put(type, ORDER)).body.type).toBe(type);
    const topic = await enforced("signs");
    await hub.publish(topic, { type, data: { id: "a", total: 1 } });
    const { schemaversion, dataschema } = (await lastOf(topic)) as unknown as Record<string, string>;
    expect(schemaversion).toBe(1);
    const served = await hub.json("GET", new URL(dataschema!).pathname);
    expect(served.body).toMatchObject({ type, version: 1 });
  });

  it("[SCH-18] is not held to more versions than one check may read: what is left undecided refuses it", async () => {
    const versionOf = (at: number) => ({ schema: { title: `${at}`, description: "x".repeat(60_000) } });
    const put = (at: number, compatibility = "full_transitive") =>
      hub.json("PUT", "/v1/schemas/long.history", { ...versionOf(at), compatibility });
    for (let at = 1; at <= 18; at += 1) expect((await put(at)).status).toBe(201);
    const refused = await put(19);
    expect([refused.status, refused.body["code"]]).toEqual([409, "schema_incompatible"]);
    expect(refused.body["errors"]).toMatchObject([{ detail: expect.stringMatching(/cannot tell .* version 1/) }]);
    expect((await put(19, "full")).status).toBe(201);
  });
});

describe("a topic that enforces schemas", () => {
  it("[SCH-8] takes what keeps to them, and each event says which version that was", async () => {
    await put("order.placed", ORDER);
    const topic = await enforced("orders.strict");
    const answer = await hub.publish(topic, { type: "order.placed", data: { id: "a", total: 5 } });
    expect(answer.status).toBe(201);
    const event = await lastOf(topic);
    expect(event).toMatchObject({
      schemaversion: 1,
      dataschema: "tidings:/v1/schemas/order.placed/versions/1",
      data: { id: "a", total: 5 },
    });
    expectCloudEvent(event);
    await hub.publish(topic, { type: "unheard.of", data: { anything: 1 } });
    expect(await lastOf(topic)).not.toHaveProperty("schemaversion");
  });

  it("[SCH-9] refuses a request with every violation by its pointer, and appends none of it", async () => {
    await put("order.batched", ORDER);
    const topic = await enforced("orders.batched", "enforce", { partitions: 4 });
    const good = { type: "order.batched", data: { id: "a", total: 5 } };
    const bad = { type: "order.batched", data: { id: 7, total: -1, "x/y": 1 } };
    const answer = await hub.publish(topic, { events: [good, bad, { type: "order.batched", data: {} }, good] });
    const refusal = answer.body as unknown as Refusal;
    expect([answer.status, refusal.code]).toEqual([422, "schema_violation"]);
    expect(pointersOf(refusal).toSorted()).toEqual([
      "/events/1/data/id",
      "/events/1/data/total",
      "/events/1/data/x~1y",
      "/events/2/data",
      "/events/2/data",
    ]);
    expect(JSON.stringify(refusal)).not.toContain("-1");
    expect(await hub.readAll(topic)).toEqual([]);
    const alone = await hub.publish(topic, bad);
    expect(pointersOf(alone.body as unknown as Refusal)[0]).toBe("/data/id");
  });

  it.each([
    ["no data", {}, "/data"],
    ["data in base64", { data_base64: "e30=", datacontenttype: "application/json" }, "/data"],
    [
      "a schema of another type",
      { data: { id: "a", total: 1 }, dataschema: "tidings:/v1/schemas/other/versions/1" },
      "/dataschema",
    ],
    [
      "a version that is not there",
      { data: { id: "a", total: 1 }, dataschema: "tidings:/v1/schemas/order.odd/versions/2" },
      "/dataschema",
    ],
    [
      "a version far away",
      { data: { id: "a", total: 1 }, dataschema: "tidings:/v1/schemas/order.odd/versions/900" },
      "/dataschema",
    ],
  ])("[SCH-9] refuses %s", async (_name, more, pointer) => {
    await put("order.odd", ORDER);
    const answer = await hub.publish(await enforced("orders.odd"), { type: "order.odd", ...more });
    expect([answer.status, pointersOf(answer.body as unknown as Refusal)]).toEqual([422, [pointer]]);
  });

  it("[SCH-10] holds an event to the version that it names, else to the newest", async () => {
    await put("order.named", ORDER);
    const narrowed = { ...ORDER, properties: { id: { type: "string", maxLength: 3 }, total: { type: "number" } } };
    await put("order.named", narrowed, { compatibility: "none" });
    const topic = await enforced("orders.named");
    const data = { id: "longer", total: 1 };
    const dataschema = "tidings:/v1/schemas/order.named/versions/1";
    expect((await hub.publish(topic, { type: "order.named", data, dataschema })).status).toBe(201);
    expect(await lastOf(topic)).toMatchObject({ schemaversion: 1, dataschema });
    expect((await hub.publish(topic, { type: "order.named", data })).status).toBe(422);
    const elsewhere = "https://example.com/order.json";
    const short = { id: "abc", total: 1 };
    await hub.publish(topic, { type: "order.named", data: short, dataschema: elsewhere });
    expect(await lastOf(topic)).toMatchObject({ schemaversion: 2, dataschema: elsewhere });
  });

  it("[SCH-10] takes no version from the producer, and a repeat is the same event under any version", async () => {
    await put("order.repeated", ORDER);
    const topic = await enforced("orders.repeated");
    const url = `${hub.url}/v1/topics/${topic}/events`;
    const emit = emitterFor(httpTransport(url), { mode: Mode.STRUCTURED });
    const event = { id: "e-1", source: "/s", type: "order.repeated", data: { id: "a", total: 1 } };
    const sent = new CloudEvent({ ...event, schemaversion: 9 });
    const headers = { authorization: `Bearer ${ROOT_KEY}` };
    await emit(sent, { headers } as never);
    expect(await lastOf(topic)).toMatchObject({ schemaversion: 1 });
    await put("order.repeated", WIDER);
    const again = await hub.publish(topic, event);
    expect([again.status, again.body.events[0]]).toMatchObject([200, { duplicate: true, offset: 1 }]);
  });

  it("[SCH-9] [PUB-5] answers what came before its schema was tightened with its first place", async () => {
    const topic = await enforced("orders.tightened", "enforce", { partitions: 4 });
    const events = [1, 2, 3].map((total) => ({ id: `t-${total}`, type: "order.tightened", data: { id: "a", total } }));
    const keyed = { type: "order.tightened", data: { id: "b" } };
    const headers = { "idempotency-key": "tightened" };
    const first = await hub.publish(topic, { events });
    await hub.publish(topic, keyed, headers);
    await put("order.tightened", { type: "object", properties: { id: { maxLength: 0 } } });
    const again = await hub.publish(topic, { events });
    expect([again.status, again.body.events.map(({ offset, duplicate }) => [offset, duplicate])]).toEqual([
      200,
      first.body.events.map(({ offset }) => [offset, true]),
    ]);
    expect((await hub.publish(topic, keyed, headers)).status).toBe(200);
    const another = await hub.publish(topic, { events: [...events, { ...events[0]!, id: "t-4" }] });
    expect([another.status, (another.body as unknown as Refusal).code]).toEqual([422, "schema_violation"]);
    expect((await hub.publish(topic, keyed, { "idempotency-key": "other" })).status).toBe(422);
    expect(await hub.readAll(topic)).toHaveLength(4);
  });

  it("[SCH-9] answers each line of a stream, and each frame, for itself", async () => {
    await put("order.lined", ORDER);
    const topic = await enforced("orders.lined");
    const good = JSON.stringify({ type: "order.lined", data: { id: "a", total: 1 } });
    const bad = JSON.stringify({ type: "order.lined", data: { id: "a" } });
    const headers = { "content-type": "application/x-ndjson" };
    const body = [good, bad, good].join("\n");
    const response = await hub.request(`/v1/topics/${topic}/events`, { method: "POST", headers, body });
    const lines = (await response.text()).trim().split("\n");
    const answers = lines.map((line) => JSON.parse(line) as { offset?: number; problem?: Refusal });
    expect(answers.map(({ offset, problem }) => offset ?? problem!.code)).toEqual([1, "schema_violation", 2]);
    const socket = await hub.connect();
    const told = await socket.ask({ op: "publish", topic, event: JSON.parse(bad) as object });
    expect(told).toMatchObject({ op: "error", problem: { code: "schema_violation", errors: [{ pointer: "/data" }] } });
    await socket.close();
    expect(await hub.readAll(topic)).toHaveLength(2);
  });

  it("[SCH-11] that only warns takes all, says so in its log, and marks what keeps to its schema", async () => {
    await put("order.warned", ORDER);
    const topic = await enforced("orders.warned", "warn");
    await hub.publish(topic, [
      { type: "order.warned", data: { id: "a", total: 1 } },
      { type: "order.warned", data: { id: 7 } },
    ]);
    const events = (await hub.readAll(topic)) as unknown as Record<string, unknown>[];
    expect(events.map(({ schemaversion }) => schemaversion)).toEqual([1, undefined]);
    const stage = await eventually(
      () => hub.logs.find((line) => line["stage"] === "event.schema_violated" && line["topic"] === topic),
      (line) => line !== undefined,
      "the log tells of it",
    );
    expect(stage).toMatchObject({ type: "order.warned", policy: "warn", errors: 2 });
  });

  it("[SCH-8] that enforces no longer takes anything, and says no version", async () => {
    await put("order.freed", ORDER);
    const topic = await enforced("orders.freed");
    await hub.json("PUT", `/v1/topics/${topic}`, { schemaPolicy: "off" });
    expect((await hub.publish(topic, { type: "order.freed", data: 7 })).status).toBe(201);
    expect(await lastOf(topic)).not.toHaveProperty("schemaversion");
  });
});

describe("what a check costs", () => {
  it("[SCH-12] is bounded: an event with too many values for its schema is refused, not looked through", async () => {
    const alternatives = Array.from({ length: 50 }, (_, index) => ({ type: "array", maxItems: index }));
    const each = { anyOf: [...alternatives, { type: "number" }] };
    expect((await put("wide", { type: "array", items: each })).status).toBe(201);
    const topic = await enforced("wide.values");
    const answer = await hub.publish(topic, { type: "wide", data: Array.from({ length: 100_000 }, () => 0) });
    expect([answer.status, (answer.body as unknown as Refusal).code]).toEqual([422, "schema_violation"]);
    expect((await hub.publish(topic, { type: "wide", data: Array.from({ length: 500 }, () => 0) })).status).toBe(201);
  });

  it("[SCH-12] is bounded for items that must differ, and for patterns", async () => {
    expect(
      (
        await put("differing", {
          type: "array",
          uniqueItems: true,
          items: { type: "string", pattern: "^[a-z]+(-[a-z]+)*$" },
        })
      ).status,
    ).toBe(201);
    const topic = await enforced("differing.values");
    const publish = (data: unknown) => hub.publish(topic, { type: "differing", data });
    expect((await publish(["a", "b"])).status).toBe(201);
    expect((await publish(["a", "a"])).status).toBe(422);
    expect(
      (await publish(Array.from({ length: 201 }, (_, index) => `x-${"abcdefghij"[index % 10]!.repeat(index + 1)}`)))
        .status,
    ).toBe(422);
    expect((await publish([`${"a-".repeat(60_000)}!`])).status).toBe(422);
    expect((await publish([`${"a-".repeat(60_000)}b`])).status).toBe(201);
  });
});
