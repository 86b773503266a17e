/** A walk through the hub, held against what the OpenAPI document says of each step: bodies, answers and refusals. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { undescribed } from "../harness/contract.ts";
import { startHub, type Hub } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

type Body = Record<string, unknown>;

/** What is done, in this order; a function makes its path of the answers so far. */
type Step = readonly [method: string, path: string | ((seen: Map<string, Body>) => string), sent?: unknown];

const WEBHOOK = { kind: "webhook", url: "http://127.0.0.1:9/", headers: { "x-a": "b" }, contentMode: "binary" };
const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();
const SCHEMA = { type: "object", properties: { total: { type: "number" } }, examples: [{ total: 1 }] };
const idOf = (step: string) => (seen: Map<string, Body>) => String(seen.get(step)!["id"]);
const cursorOf = (seen: Map<string, Body>) => String(seen.get("GET /v1/topics/walk/events")!["cursor"]);

const STEPS: readonly Step[] = [
  ["PUT", "/v1/topics/walk", { partitions: 2, retention: { maxAge: "7d" }, index: "key", schemaPolicy: "warn" }],
  ["PUT", "/v1/topics/walk", { partitions: 3 }],
  ["PUT", "/v1/schemas/walked", { schema: SCHEMA, compatibility: "full", owner: "us" }],
  ["POST", "/v1/schemas/walked/check", { schema: true }],
  ["PUT", "/v1/schemas/walked", { schema: { type: "string" } }],
  ["PUT", "/v1/subscriptions/hook", { topics: ["walk"], target: WEBHOOK, retry: { schedule: ["1h"] }, filter: null }],
  ["PUT", "/v1/subscriptions/taken", { topics: ["walk"], target: { kind: "pull" }, schemas: { walked: 1 } }],
  ["PUT", "/v1/subscriptions/wrong", { topics: [] }],
  ["PUT", "/v1/policies/p", { topics: ["tmp.*"], retention: "none" }],
  ["POST", "/v1/topics/walk/events", { type: "walked", key: "k", data: { total: 1 }, ttl: "1h" }],
  ["POST", "/v1/topics/walk/events", { events: [{ event: "walked", payload: 1, meta: { source: "php" } }] }],
  ["POST", "/v1/topics/walk/events", [{ type: "walked", id: "later", deliverAt: IN_AN_HOUR }]],
  ["POST", "/v1/topics/walk/events", { type: "" }],
  ["POST", "/v1/keys", { name: "k", scopes: ["publish:walk"], quotas: { eventsPerDay: 9 }, pusher: true }],
  ["POST", (seen) => `/v1/keys/${idOf("POST /v1/keys")(seen)}/rotate`, { overlap: "1h" }],
  ["GET", (seen) => `/v1/keys/${idOf("POST /v1/keys")(seen)}`],
  ["POST", "/v1/tokens", { scopes: ["subscribe:walk"], user: { id: "ada", data: { name: "Ada" } }, ttl: "5m" }],
  ["POST", "/v1/revocations", { user: "ada" }],
  ["POST", "/v1/apps", { name: "walker", origins: ["https://shop.example"], quotas: { topics: 5 } }],
  ["PATCH", "/v1/apps/walker", { origins: null }],
  ["GET", "/v1/apps/walker"],
  ["DELETE", "/v1/apps/walker"],
  ["POST", "/v1/subscriptions/taken/pull", { max: 1, lease: "30s", wait: "5s" }],
  ["POST", "/v1/subscriptions/taken/ack", { acks: [{ id: "a", lease: "b" }], extends: [] }],
  ["POST", "/v1/subscriptions/taken/seek", { to: "earliest", dryRun: true }],
  ["POST", "/v1/subscriptions/taken/replay", { mode: "force", from: "earliest", dryRun: true }],
  ["POST", "/v1/subscriptions/hook/pause"],
  ["POST", "/v1/subscriptions/hook/resume"],
  ["POST", "/v1/subscriptions/hook/secret/rotate", { overlap: "1h" }],
  ["POST", "/v1/subscriptions/hook/dead-letters/redrive", { all: true, dryRun: true }],
  ["POST", "/v1/subscriptions/hook/dead-letters/discard", { filter: { type: ["walked"] } }],
  ["POST", "/v1/subscriptions/hook/skip", { id: "msg_none" }],
  ["POST", "/v1/users/ada/events", { type: "t", data: [1] }],
  ["POST", "/v1/users/ada/disconnect"],
  ...[
    "/healthz",
    "/v1/openapi.json",
    "/v1/asyncapi.json",
    "/v1/limits",
    "/v1/topics",
    "/v1/topics/walk",
    "/v1/topics/nothing",
    "/v1/topics/walk/events",
    "/v1/topics/walk/events?limit=0",
    "/v1/topics/walk/scheduled",
    "/v1/events/later?topic=walk",
    "/v1/schemas",
    "/v1/schemas/walked",
    "/v1/schemas/walked/versions",
    "/v1/schemas/walked/versions/1",
    "/v1/catalog",
    "/v1/catalog/walked/impact?field=/data/total",
    "/v1/topology",
    "/v1/subscriptions",
    "/v1/subscriptions/hook",
    "/v1/subscriptions/hook/deliveries",
    "/v1/subscriptions/hook/dead-letters",
    "/v1/subscriptions/hook/dead-letters/groups",
    "/v1/policies",
    "/v1/policies/p",
    "/v1/keys",
    "/v1/apps",
    "/v1/audit",
    "/v1/overview",
    "/v1/channels",
    "/v1/channels/walk",
    "/v1/channels/presence-a/members",
    "/v1/users/ada",
    "/v1/connections",
    "/v1/commands",
    "/v1/jobs/none",
  ].map((path): Step => ["GET", path]),
  ["GET", (seen) => `/v1/subscriptions/taken/settled?topic=walk&minCursor=${cursorOf(seen)}`],
  ["GET", "/v1/subscriptions/taken/settled?topic=walk&minCursor=zebra"],
  ["DELETE", "/v1/policies/p"],
  ["DELETE", "/v1/topics/walk/scheduled/later"],
  ["DELETE", "/v1/subscriptions/hook"],
  ["DELETE", "/v1/topics/walk"],
];

it("[DOC-7] what the hub takes, answers and refuses on a walk through it is what the document says", async () => {
  const seen = new Map<string, Body>();
  const complaints: string[] = [];
  for (const [method, at, sent] of STEPS) {
    const path = typeof at === "string" ? at : at(seen);
    const { status, body: answered } = await hub.json(method, path, sent);
    seen.set(`${method} ${path}`, answered);
    const complaint = undescribed({ method, path, sent, status, answered });
    if (complaint !== null) complaints.push(complaint);
    expect([method, path, status < 500]).toEqual([method, path, true]);
  }
  expect(complaints).toEqual([]);
  // And what is not described is noticed.
  const put = { method: "PUT", path: "/v1/topics/walk", status: 200, answered: seen.get("PUT /v1/topics/walk") };
  expect(undescribed({ ...put, sent: { partitions: "2" } })).toContain("must be integer");
  expect(undescribed({ method: "GET", path: "/v1/topology", sent: undefined, status: 200, answered: {} })).toContain(
    "must have required property",
  );
});
