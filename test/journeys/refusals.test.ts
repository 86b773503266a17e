import { request as httpRequest } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../src/core/errors.ts";
import {
  BAD_APPS,
  BAD_KEYS,
  BAD_REVOCATIONS,
  BAD_SECRETS,
  BAD_TOKENS,
  BAD_USER_CALLS,
} from "../builders/bad-access.ts";
import { BAD_BATCHES } from "../builders/bad-batches.ts";
import { BAD_ADDRESSES, BAD_PULLS, BAD_REPAIRS, BAD_SUBSCRIPTIONS, BAD_TOPICS } from "../builders/bad-definitions.ts";
import { BAD_COMMANDS } from "../builders/bad-commands.ts";
import { BAD_SCHEDULES } from "../builders/bad-schedules.ts";
import { BAD_SCHEMAS } from "../builders/bad-schemas.ts";
import {
  BAD_BODIES,
  BAD_CONDITIONS,
  BAD_CREDENTIALS,
  BAD_EVENTS,
  BAD_MEMBERS,
  BAD_READS,
  MARK,
  type BadRequest,
} from "../builders/refusals.ts";
import { GUARDED, matchesRoute, refusalsOf, ROUTES, SIGNED, unsignedAt } from "../builders/route-refusals.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import type { TestSocket } from "../harness/socket.ts";

let hub: Hub;
let before: unknown;

/** Everything that a refused request could have changed. */
const snapshot = async (): Promise<unknown> =>
  Promise.all([
    hub.json("GET", "/v1/topics").then(({ body }) => body),
    hub.json("GET", "/v1/subscriptions").then(({ body }) => body),
    hub.json("GET", "/v1/topics/steady").then(({ body }) => body),
    hub.json("GET", "/v1/topics/steady-wide").then(({ body }) => body),
    hub.json("GET", "/v1/apps").then(({ body }) => body),
    hub.json("GET", "/v1/keys").then(({ body }) => body),
    hub.json("GET", "/v1/schemas").then(({ body }) => body),
    hub.json("GET", "/v1/commands").then(({ body }) => body),
    hub.json("GET", "/v1/policies").then(({ body }) => body),
    hub.json("GET", "/v1/batches").then(({ body }) => body),
    hub.json("GET", "/v1/audit").then(({ body }) => body),
  ]);

beforeAll(async () => {
  hub = await startHub({ consumers: { CONSUMER_STEADY: "test/builders/command-worker.ts" } });
  await hub.publish("steady", { type: "t", id: "steady-1" });
  await hub.json("PUT", "/v1/topics/steady-wide", { partitions: 2 });
  await hub.publish("steady-wide", { type: "t", key: "k" });
  await hub.json("PUT", "/v1/subscriptions/steady", {
    topics: ["nothing.here"],
    target: { kind: "webhook", url: "http://127.0.0.1:9/" },
  });
  const schema = { type: "object", properties: { a: { type: "integer" } } };
  await hub.json("PUT", "/v1/schemas/steady.type", { schema });
  const target = { kind: "worker", binding: "CONSUMER_STEADY" };
  await hub.json("PUT", "/v1/commands/steady", { topic: "steady-stream", target, schema: { type: "object" } });
  before = await snapshot();
});
afterAll(() => hub.close());

/** Behind each table of rows: to look behind each row takes longer than to ask it, and what one changes stays changed. */
const expectNothingChanged = async (): Promise<void> => expect(await snapshot()).toEqual(before);

interface Problem {
  readonly code: ErrorCode;
  readonly [name: string]: unknown;
}

function expectProblem(problem: Problem, code: ErrorCode): void {
  const { status, says, retryable, effect } = ERRORS[code];
  expect(problem).toMatchObject({
    code,
    status,
    title: says,
    retryable,
    effect,
    type: `https://tidings.dev/problems/${code}`,
  });
  expect(JSON.stringify(problem)).not.toContain(MARK);
}

async function expectRefusal({ name, method, path, headers, body, code, status }: BadRequest): Promise<void> {
  const init: RequestInit = body === undefined ? { method, headers } : { method, headers, body };
  const answer = await hub.request(path, init);
  const text = await answer.text();
  expect([answer.status, answer.headers.get("content-type")], `${name}: ${text}`).toEqual([
    status,
    "application/problem+json; charset=utf-8",
  ]);
  expectProblem(JSON.parse(text) as Problem, code);
  expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  if (status === 401) expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  if (status === 405) expect(answer.headers.get("allow")).toMatch(/[A-Z]/);
}

describe("[ERR-1] a publish is refused and writes nothing", () => {
  afterAll(expectNothingChanged);

  it.each(BAD_CREDENTIALS)("for $name: $code", expectRefusal);
  it.each(BAD_BODIES)("for $name: $code", expectRefusal);
  it.each(BAD_EVENTS)("for $name: $code", expectRefusal);
  it.each(BAD_CONDITIONS)("for $name: $code", expectRefusal);
});

describe("[ERR-2] a read is refused", () => {
  afterAll(expectNothingChanged);

  it.each(BAD_READS)("for $name: $code", expectRefusal);
});

describe("[ERR-3] a definition or a repair is refused and changes nothing", () => {
  afterAll(expectNothingChanged);

  it.each(BAD_TOPICS)("for $name: $code", expectRefusal);
  it.each(BAD_COMMANDS)("for $name: $code", expectRefusal);
  it.each(BAD_SCHEMAS)("for $name: $code", expectRefusal);
  it.each(BAD_SCHEDULES)("for $name: $code", expectRefusal);
  it.each(BAD_SUBSCRIPTIONS)("for $name: $code", expectRefusal);
  it.each(BAD_REPAIRS)("for $name: $code", expectRefusal);
  it.each(BAD_PULLS)("for $name: $code", expectRefusal);
  it.each(BAD_BATCHES)("for $name: $code", expectRefusal);
  it.each(BAD_ADDRESSES)("for $name: $code", expectRefusal);
});

describe("[ERR-3] who may come in, and what they may do, stays as it is", () => {
  afterAll(expectNothingChanged);

  it.each(BAD_APPS)("for $name: $code", expectRefusal);
  it.each(BAD_KEYS)("for $name: $code", expectRefusal);
  it.each(BAD_TOKENS)("for $name: $code", expectRefusal);
  it.each(BAD_REVOCATIONS)("for $name: $code", expectRefusal);
  it.each(BAD_USER_CALLS)("for $name: $code", expectRefusal);
  it.each(BAD_SECRETS)("for $name: $code", expectRefusal);
});

describe("[INP-6] at every route of the hub", () => {
  afterEach(expectNothingChanged);

  it.each(GUARDED)("$method $path refuses what every route does", async (route) => {
    for (const row of refusalsOf(route)) await expectRefusal(row);
  });

  it.each(SIGNED)("$method $path refuses what is not signed", async (route) => {
    for (const row of unsignedAt(route)) await expectRefusal(row);
  });

  it("something bad of its own is tried", () => {
    const tried = [BAD_BODIES, BAD_EVENTS, BAD_CONDITIONS, BAD_READS, BAD_TOPICS, BAD_SUBSCRIPTIONS, BAD_REPAIRS];
    const signed = SIGNED.flatMap(unsignedAt);
    const rows = [
      ...signed,
      ...tried,
      BAD_COMMANDS,
      BAD_SCHEMAS,
      BAD_SCHEDULES,
      BAD_MEMBERS,
      BAD_PULLS,
      BAD_BATCHES,
      BAD_APPS,
      BAD_KEYS,
      BAD_TOKENS,
      BAD_REVOCATIONS,
      BAD_USER_CALLS,
    ].flat();
    const untried = ROUTES.filter((route) => !rows.some((row) => matchesRoute(route, row)));
    // They take nothing that could be bad; the socket's door has its own table below.
    const plain = [
      "GET /healthz",
      "GET /app/:key",
      "GET /v1/openapi.json",
      "GET /metrics",
      "GET /v1/connect",
      "GET /v1/topology",
      "GET /v1/asyncapi.json",
      "GET /v1/connections",
      "GET /v1/overview",
      "GET /v1/limits",
    ];
    expect(untried.map(({ method, path }) => `${method} ${path}`)).toEqual(plain);
  });
});

describe("[ERR-3] the methods of an address", () => {
  afterAll(expectNothingChanged);

  it("stand in the refusal of any other, HEAD with GET", async () => {
    for (const method of ["OPTIONS", "PATCH", "PROPFIND"]) {
      const answer = await hub.request("/v1/topics/steady/events", { method });
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST, GET, HEAD"]);
    }
  });

  it.each([
    "/healthz",
    "/v1/openapi.json",
    "/v1/limits",
    "/v1/topics",
    "/v1/topics/steady",
    "/v1/topics/steady/events",
    "/v1/nowhere",
  ])("answer HEAD %s as they answer GET, without the body", async (path) => {
    const [head, get] = [await hub.request(path, { method: "HEAD" }), await hub.request(path)];
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
      get.status,
      get.headers.get("content-type"),
      "",
    ]);
    await get.body?.cancel();
  });
});

interface BadFrame {
  readonly name: string;
  readonly frame: string | Uint8Array;
  readonly code: ErrorCode;
}

const frame = (name: string, message: object | string, code: ErrorCode = "frame_invalid"): BadFrame => ({
  name,
  frame: typeof message === "string" ? message : JSON.stringify(message),
  code,
});

const subscribe = (name: string, more: object, code: ErrorCode): BadFrame =>
  frame(`subscribe ${name}`, { op: "subscribe", topic: "steady", ...more }, code);

const publish = (name: string, event: unknown, code: ErrorCode, topic = "steady"): BadFrame =>
  frame(`publish ${name}`, { op: "publish", topic, event }, code);

const BAD_FRAMES: readonly BadFrame[] = [
  { name: "bytes", frame: new Uint8Array([123, 125]), code: "frame_invalid" },
  frame("no JSON", MARK, "json_invalid"),
  frame("half of it", '{"op":"subscribe"', "json_invalid"),
  frame("an empty frame", "", "json_invalid"),
  frame("no message", "[]"),
  frame("a number", "7"),
  frame("no op", {}),
  frame("101 messages", JSON.stringify(Array.from({ length: 101 }, () => ({ op: "ping" })))),
  frame("an op that is not known", { op: MARK }),
  frame("an op of the prototype", { op: "constructor" }),
  frame("a member too many", { op: "unsubscribe", topic: "steady", more: MARK }),
  frame("a member twice", '{"op":"unsubscribe","topic":"steady","topic":"steady"}'),
  frame("an object for a ref", { op: "unsubscribe", topic: "steady", ref: {} }),
  frame("a ref too long", { op: "unsubscribe", topic: "steady", ref: "r".repeat(65) }),
  frame("a topic's absence", { op: "subscribe" }),
  frame("a bad topic", { op: "subscribe", topic: "a b" }, "topic_name_invalid"),
  frame("a deep frame", `{"op":"publish","event":${"[".repeat(70)}${"]".repeat(70)}}`, "json_too_deep"),
  frame("a lone surrogate", '{"op":"publish","topic":"steady","event":{"type":"\\ud800"}}', "encoding_invalid"),
  subscribe("from nowhere", { from: MARK }, "parameter_invalid"),
  subscribe("from offset 0", { from: "offset:0" }, "parameter_invalid"),
  subscribe("from a number", { from: 7 }, "frame_invalid"),
  subscribe("from a bad cursor", { from: "cursor:!" }, "cursor_invalid"),
  subscribe("from an offset of two partitions", { topic: "steady-wide", from: "offset:1" }, "partition_required"),
  subscribe("with an operand of the wrong kind", { filter: { type: [{ prefix: 5 }] } }, "filter_invalid"),
  subscribe("with a filter too long", { filter: { type: ["x".repeat(5_000)] } }, "filter_invalid"),
  subscribe("with presence", { presence: { data: {} } }, "presence_not_offered"),
  subscribe("with presence and nobody", { topic: "presence-steady", presence: {} }, "presence_user_missing"),
  subscribe("to the hub's own topic that is not there", { topic: "$nothing" }, "topic_not_found"),
  frame("presence", { op: "presence", topic: "steady", data: {} }, "presence_not_entered"),
  frame("refresh without a token", { op: "refresh" }),
  frame("refresh with a number", { op: "refresh", token: 7 }),
  frame("refresh with no credential", { op: "refresh", token: MARK }, "unauthenticated"),
  frame("refresh with a bad token", { op: "refresh", token: `a.${MARK}.c` }, "token_invalid"),
  frame("refresh with an endless one", { op: "refresh", token: "x".repeat(8_193) }, "credential_too_large"),
  frame("an ack without cursor", { op: "ack", topic: "steady" }, "cursor_invalid"),
  frame("an ack with a bad cursor", { op: "ack", topic: "steady", cursor: MARK }, "cursor_invalid"),
  frame("publish without event", { op: "publish", topic: "steady" }),
  publish("without type", { data: MARK }, "event_invalid"),
  publish("of a list", [{ type: "t" }], "event_invalid"),
  publish("to the hub's own topic", { type: "t" }, "topic_reserved", "$deliveries"),
  publish("of an id that is here with other content", { type: "t", id: "steady-1", data: 2 }, "event_id_conflict"),
  publish("expecting a version", { type: "t", key: "k", expectedKeyVersion: 0 }, "index_required"),
];

describe("[ERR-4] a frame is refused alone, and its socket stays open", () => {
  let socket: TestSocket;
  beforeAll(async () => {
    socket = await hub.connect();
  });
  afterAll(() => socket.close());
  afterAll(expectNothingChanged);

  it.each(BAD_FRAMES)("for $name: $code", async ({ frame, code }) => {
    const seen = socket.messages.length;
    socket.send(frame);
    const isRefused = () => socket.messages.slice(seen).some(({ op }) => op === "error");
    await socket.until(isRefused, `a refusal of ${String(frame).slice(0, 80)}`);
    expectProblem(socket.messages.slice(seen).find(({ op }) => op === "error")!["problem"] as Problem, code);
  });

  it("among good messages, under its own ref", async () => {
    const seen = socket.messages.length;
    const good = { op: "unsubscribe", topic: "steady" };
    socket.send([
      { ...good, ref: "good" },
      { op: "what", ref: "bad" },
      { ...good, ref: 7 },
    ]);
    await socket.until((messages) => messages.length >= seen + 3, "three answers");
    expect(socket.messages.slice(seen).map(({ op, ref }) => [op, ref])).toEqual([
      ["unsubscribed", "good"],
      ["error", "bad"],
      ["unsubscribed", 7],
    ]);
  });
});

describe("[ERR-5] a socket is refused or ended", () => {
  afterAll(expectNothingChanged);

  it("when a frame is larger than the limit: 1009", async () => {
    const socket = await hub.connect();
    socket.send(JSON.stringify({ op: "publish", topic: "steady", event: { type: "t", data: "x".repeat(65_536) } }));
    expect((await socket.closed).code).toBe(1009);
    expectProblem(socket.messages.at(-1)!["problem"] as Problem, "frame_too_large");
  });

  it.each([
    ["another subprotocol", `/v1/connect?token=${ROOT_KEY}`, { "sec-websocket-protocol": "mqtt" }, "protocol_invalid"],
    ["no credential", "/v1/connect", {}, "unauthenticated"],
    ["a wrong token", `/v1/connect?token=${MARK}`, {}, "unauthenticated"],
    ["an access_token", `/v1/connect?access_token=${ROOT_KEY}`, {}, "credentials_in_url"],
  ] as const)("for %s, before anything is upgraded", async (_name, path, headers, code) => {
    const { status, body } = await upgrade(path, headers);
    expect(status).toBe(ERRORS[code].status);
    expectProblem(JSON.parse(body) as Problem, code);
  });
});

describe("[ERR-1] a hub without its root key", () => {
  it("refuses everything with 503 but says that it runs", async () => {
    const closed = await startHub({ vars: { ROOT_KEY: null } });
    try {
      for (const path of ["/v1/topics", "/v1/topics/t/events", "/v1/connect", "/v1/nothing"]) {
        const answer = await closed.json<Problem>("GET", path);
        expect(answer.headers.get("retry-after")).toBe("30");
        expectProblem(answer.body, "not_configured");
      }
      expect((await fetch(`${closed.url}/healthz`)).status).toBe(200);
    } finally {
      await closed.close();
    }
  });
});

/** An upgrade as a client sends it; `fetch` cannot. */
function upgrade(path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${hub.url}${path}`, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    asked.on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, body });
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("it was upgraded"));
    });
    asked.on("error", reject).end();
  });
}
