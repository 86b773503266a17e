import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { registerListeners } from "../../src/delivery/listener-registry.ts";
import type { Env } from "../../src/env.ts";
import { app } from "../../src/worker/app.ts";
import { tell } from "../builders/command-handlers.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

const ROOT = "test-root-key";
/** Stands in everything that the neighbour owns, names and payloads. */
const CANARY = "canary";

interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
  /** What was asked of D1 and of objects on the way, in order: what the answer's time depends on. */
  readonly calls: readonly string[];
}

interface Asked {
  readonly key: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function ask(method: string, path: string, { key, body, headers = {} }: Asked): Promise<Seen> {
  const calls: string[] = [];
  const context = createExecutionContext();
  const request = new Request(`https://hub.test${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const response = await app.fetch(request, watched(calls), context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  const shown = [...response.headers].filter(([name]) => name !== "x-request-id");
  return { status: response.status, headers: JSON.stringify(shown), text, calls };
}

/** The bindings, noting each question to D1 by its SQL and each object by its binding. */
function watched(calls: string[]): Env {
  const database = new Proxy(env.DB, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        // Isolates look for revocations by the clock, and note the use of keys and topics, whatever is asked.
        const isBeside = name === "prepare" && /access_changes|last_used_at|INTO sightings/.test(String(args[0]));
        if (name === "prepare" && !isBeside) calls.push(String(args[0]));
        return (member as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  const named = (binding: keyof Env): unknown =>
    new Proxy(env[binding] as object, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          calls.push(binding);
          return (member as (...all: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return {
    ...env,
    DB: database,
    TOPIC_LOG: named("TOPIC_LOG"),
    SUBSCRIPTION: named("SUBSCRIPTION"),
    CHANNEL_HUB: named("CHANNEL_HUB"),
    PRESENCE_ROOM: named("PRESENCE_ROOM"),
    BATCH: named("BATCH"),
    SCHEDULES: named("SCHEDULES"),
  } as Env;
}

async function made<T>(method: string, path: string, asked: Asked): Promise<T> {
  const { status, text } = await ask(method, path, asked);
  if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
  return (text === "" ? null : JSON.parse(text)) as T;
}

const NEIGHBOUR = { key: ROOT, headers: { "tidings-app": `${CANARY}-app` } };
let key: string;
let neighbourKey: string;

beforeAll(async () => {
  await migrateDatabase();
  for (const name of ["prying", `${CANARY}-app`]) await made("POST", "/v1/apps", { key: ROOT, body: { name } });
  const admin = (name: string) => ({ key: ROOT, body: { name: `key of ${name}`, app: name, scopes: ["admin"] } });
  await made("PUT", `/v1/topics/${CANARY}-jobs`, { ...NEIGHBOUR, body: {} }); // Before what its batches publish.
  ({ key } = await made<{ key: string }>("POST", "/v1/keys", admin("prying")));
  ({ key: neighbourKey } = await made<{ key: string }>("POST", "/v1/keys", admin(`${CANARY}-app`)));
});

/** What the neighbour has, and what nobody has: of the same form and length. */
interface Names {
  readonly topic: string;
  readonly name: string;
  readonly id: string;
  readonly key: string;
  readonly app: string;
  readonly cursor: string;
  readonly type: string;
  readonly batch: string;
}

let neighbours = 0;

const HANDLER = { kind: "listener", name: "tell" };
registerListeners([tell]);

async function makeNeighbours(): Promise<{ there: Names; absent: Names }> {
  neighbours += 1;
  const suffix = String(neighbours).padStart(4, "0");
  const topic = `${CANARY}-topic-${suffix}`;
  const published = await made<{ events: { cursor: string }[] }>("POST", `/v1/topics/${topic}/events`, {
    ...NEIGHBOUR,
    body: { type: `${CANARY}.type`, id: `${CANARY}-id-${suffix}`, data: { text: `${CANARY} payload` } },
  });
  const name = `${CANARY}-sub-${suffix}`;
  const target = { kind: "listener", name: "analytics" };
  await made("PUT", `/v1/subscriptions/${name}`, { ...NEIGHBOUR, body: { topics: [topic], target } });
  const schedule = { cron: "0 0 1 1 *", topic, event: { type: `${CANARY}.type`, data: `${CANARY} payload` } };
  await made("PUT", `/v1/schedules/${name}`, { ...NEIGHBOUR, body: schedule });
  const type = `${CANARY}.contract-${suffix}`;
  await made("PUT", `/v1/schemas/${type}`, { ...NEIGHBOUR, body: { schema: { title: `${CANARY} contract` } } });
  await made("PUT", `/v1/commands/${name}`, { ...NEIGHBOUR, body: { topic: `${topic}-stream`, target: HANDLER } });
  const { id } = await made<{ id: string }>("POST", "/v1/keys", {
    ...NEIGHBOUR,
    body: { name: `${CANARY}-key`, scopes: [`publish:${topic}`] },
  });
  const { id: batch } = await made<{ id: string }>("POST", "/v1/batches", {
    ...NEIGHBOUR,
    body: { mode: "chain", topic: `${CANARY}-jobs`, subscription: null, jobs: [{ type: `${CANARY}.type` }] },
  });
  const there = { batch, topic, name, id: `${CANARY}-id-${suffix}`, key: id, app: `${CANARY}-app`, type };
  const cursor = published.events[0]!.cursor;
  return {
    there: { ...there, cursor },
    absent: {
      topic: topic.replace(CANARY, "absent"),
      name: name.replace(CANARY, "absent"),
      id: there.id.replace(CANARY, "absent"),
      key: [...id].toReversed().join(""),
      app: "absent-app",
      type: type.replace(CANARY, "absent"),
      batch: batch.replace(/[0-9a-f]{32}/, (moment) => [...moment].toReversed().join("")),
      cursor,
    },
  };
}

const ROUTES = [
  ...new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`)),
].filter((route) => !route.includes("/v1/connect"));

/** A body that the route takes, naming what is pried into wherever a body can name something. */
function bodyFor(route: string, names: Names): unknown {
  if (route.startsWith("GET") || route.startsWith("DELETE")) return undefined;
  if (route === "PUT /v1/commands/:name") return { topic: `${names.topic}-stream`, target: HANDLER };
  if (route === "POST /v1/commands/:name") return { payload: {}, key: names.id };
  if (route.includes("/schemas/")) return { schema: {} };
  if (route.includes("/schedules/")) return { cron: "0 0 1 1 *", topic: names.topic, event: { type: "t" } };
  if (route.endsWith("/events")) return { type: "t", id: names.id };
  if (route === "PUT /v1/topics/:topic") return {};
  if (route === "PUT /v1/subscriptions/:name")
    return { topics: [names.topic], target: { kind: "listener", name: "analytics" }, startFrom: "earliest" };
  if (route.endsWith("/replay")) return { mode: "force", from: "earliest", topic: names.topic };
  if (route.endsWith("/seek")) return { to: "latest", topic: names.topic };
  if (/redrive|discard/.test(route)) return { ids: [`msg_${names.name}`] };
  if (route === "POST /v1/batches")
    return { mode: "chain", topic: names.topic, subscription: names.name, jobs: [{ type: names.type }] };
  if (route === "POST /v1/batches/:id/jobs") return { jobs: [{ type: names.type }] };
  if (route === "POST /v1/keys") return { name: "k", app: names.app, scopes: ["publish:a"] };
  if (route === "POST /v1/revocations") return { key: names.key };
  if (route === "POST /v1/users/:id/events") return { type: "t", data: names.id };
  if (route === "POST /v1/tokens") return { scopes: [`subscribe:${names.topic}`], ttl: "1m" };
  return {};
}

function queryFor(route: string, { topic, cursor }: Names): string {
  if (route === "GET /v1/events/:id") return `?topic=${topic}`;
  return route.endsWith("/settled") ? `?topic=${topic}&minCursor=${cursor}` : "";
}

const pathFor = (route: string, names: Names): string =>
  route
    .slice(route.indexOf("/"))
    .replaceAll(/:(\w+)/g, (_, param: string) => encodeURIComponent(namedIn(route, param, names)));

function namedIn(route: string, param: string, names: Names): string {
  if (param === "index") return "0";
  if (param === "id" && route.includes("/batches/")) return names.batch;
  return param === "name" && route.includes("/apps/") ? names.app : names[param as keyof Names];
}

/** Names are replaced, so that what remains may differ only by what the hub knows of them. */
function withoutNames(text: string, names: Names): string {
  let plain = text;
  for (const [what, name] of Object.entries(names)) plain = plain.replaceAll(name, `<${what}>`);
  return plain
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<uuid>")
    .replaceAll(/"(cursor|id|key|token|lease)":"[\w.-]+"/g, '"$1":"<minted>"');
}

describe("[TEN-1] with another app's key", () => {
  afterEach(() => void vi.useRealTimers());

  it.each(ROUTES)("%s tells the neighbour's from what is not there by nothing", async (route) => {
    const { there, absent } = await makeNeighbours();
    const [method] = route.split(" ") as [string];
    const look = (names: Names) =>
      ask(method, `${pathFor(route, names)}${queryFor(route, names)}`, { key, body: bodyFor(route, names) });
    const warming = (await makeNeighbours()).absent;
    vi.useFakeTimers({ toFake: ["Date"] }); // Time stands still: what is cached for the first is so for the second.
    await look(warming);
    const [first, second] =
      neighbours % 4 === 0 ? [await look(absent), await look(there)] : [await look(there), await look(absent)];
    const [seen, other] = neighbours % 4 === 0 ? [second, first] : [first, second];
    expect(seen.status).toBe(other.status);
    expect(seen.headers).toBe(other.headers);
    expect(seen.calls).toEqual(other.calls);
    if (seen.status === 404) expect(seen.text).toBe(other.text);
    expect(withoutNames(seen.text, there)).toBe(withoutNames(other.text, absent));
    // What was asked by its name may be named in the answer; nothing else of the neighbour's.
    const asked = `${pathFor(route, there)}${JSON.stringify(bodyFor(route, there))}`;
    for (const name of Object.values(there)) if (!asked.includes(name)) expect(seen.text).not.toContain(name);
  });

  it("sees the same where the neighbour's name stands in Tidings-App", async () => {
    const asks = ["canary-app", "absent-app"].map((name) =>
      ask("GET", "/v1/topics", { key, headers: { "tidings-app": name } }),
    );
    const [there, absent] = await Promise.all(asks);
    expect([there!.status, there!.text]).toEqual([404, absent!.text]);
  });

  it(`reads, counts and changes nothing of the neighbour's in 600 random requests (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const { there, absent } = await makeNeighbours();
    const snapshot = async (): Promise<unknown> => {
      const paths = [
        `/v1/topics/${there.topic}`,
        `/v1/topics/${there.topic}/events`,
        `/v1/subscriptions/${there.name}`,
        `/v1/keys/${there.key}`,
        "/v1/audit?limit=1000",
      ];
      return Promise.all(paths.map((path) => ask("GET", path, { key: neighbourKey }).then(({ text }) => text)));
    };
    // Another admin's look is not among what is recorded, but the key's own last use is.
    const withoutUse = (texts: unknown): string => JSON.stringify(texts).replaceAll(/\\"lastUsedAt\\":[^,}]+/g, "");
    const before = withoutUse(await snapshot());
    for (let round = 0; round < 600; round += 1) {
      const route = pick(random, ROUTES);
      const names = Object.fromEntries(
        Object.keys(there).map((what) => [what, pick(random, [there, absent])[what as keyof Names]]),
      ) as unknown as Names;
      const queries = [
        "",
        `?from=cursor:${there.cursor}`,
        `?cursor=${there.name}`,
        "?limit=1000",
        `?topic=${there.topic}`,
        `?topic=${there.topic}&minCursor=${there.cursor}`,
      ];
      const headers = pick(random, [{}, { "idempotency-key": `${CANARY}-1` }, { "tidings-app": "prying" }]);
      const path = `${pathFor(route, names)}${pick(random, queries)}`;
      const seen = await ask(route.split(" ")[0]!, path, { key, body: bodyFor(route, names), headers });
      expect([route, seen.status < 500]).toEqual([route, true]);
      expect([route, seen.text.includes(`${CANARY} payload`), seen.text.includes(`${CANARY}.type`)]).toEqual([
        route,
        false,
        false,
      ]);
      expect([route, seen.text.includes(`key of ${CANARY}-app`)]).toEqual([route, false]);
    }
    expect(withoutUse(await snapshot())).toBe(before);
  });
});
