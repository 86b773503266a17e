import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { Sink } from "../harness/sink.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly request: string;
}

type Headers = Record<string, string>;

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

interface Actor {
  /** As the log names it. */
  readonly name: string;
  readonly headers: Headers;
}

let apps = 0;

/** A new app with so many admin keys; the root key working in it comes first. */
async function makeApp(keys: number): Promise<Actor[]> {
  const app = `audited-${(apps += 1)}`;
  await hub.json("POST", "/v1/apps", { name: app });
  const actors: Actor[] = [{ name: "root", headers: { "tidings-app": app } }];
  for (let made = 0; made < keys; made += 1) actors.push(await makeKey(app, ["admin"]));
  return actors;
}

async function makeKey(app: string, scopes: readonly string[]): Promise<Actor> {
  const { body } = await hub.json<{ id: string; key: string }>("POST", "/v1/keys", { name: "k", app, scopes });
  return { name: `key:${body.id}`, headers: { authorization: `Bearer ${body.key}` } };
}

interface Listed {
  readonly items: readonly Entry[];
  readonly cursor: string | null;
}

const listPage = async (actor: Actor, query = "") =>
  (await hub.json<Listed>("GET", `/v1/audit${query}`, undefined, actor.headers)).body;

/** Of topics and subscriptions: keys and apps have tests of their own. */
async function listAll(actor: Actor, query = ""): Promise<Entry[]> {
  const entries: Entry[] = [];
  let cursor: string | null = null;
  do {
    const page: Listed = await listPage(actor, `?limit=37${query}${cursor === null ? "" : `&cursor=${cursor}`}`);
    entries.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return entries.filter(({ action }) => !/^(app|key)\./.test(action));
}

const pick = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

type Target = { readonly kind: string; readonly secret?: string; readonly headers?: object };

const CANARY = "c4n4ry5ecretc4n4ry5ecret";
const SECRET = `whsec_${btoa(CANARY)}`;
const webhook = (more: Partial<Target> = {}): Target & { url: string } => ({
  kind: "webhook",
  url: `${sink.url}/hook`,
  ...more,
});
const listener: Target & { name: string } = { kind: "listener", name: "analytics" };

/** A webhook without a secret of its own keeps the one that is there, or is given one that no other has. */
function secretOf({ kind, secret }: Target, known: string | undefined): string | null {
  if (kind === "listener") return null;
  const [, , before] = JSON.parse(known ?? "[0, 0, null]") as [unknown, unknown, string | null];
  return secret ?? before ?? crypto.randomUUID();
}

describe("the audit log", () => {
  it("[AUD-2, AUD-7, AUD-8] tells a random history of changes: each once, in order, by whom, from what to what", async () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
    const random = seededRandom(seed);
    const actors = await makeApp(2);
    const expected: Pick<Entry, "actor" | "action" | "subject" | "request">[] = [];
    const topics = new Map<string, string>();
    const subscriptions = new Map<string, string>();

    const changeTopic = async (actor: Actor, name: string): Promise<void> => {
      const definition = { description: `d${Math.floor(random() * 3)}` };
      const path = `/v1/topics/${name}`;
      const known = topics.get(name);
      if (random() < 0.3) {
        const { headers } = await hub.json("DELETE", path, undefined, actor.headers);
        if (known !== undefined) note(actor, "topic.deleted", name, headers);
        topics.delete(name);
        return;
      }
      const { headers } = await hub.json("PUT", path, definition, actor.headers);
      const text = JSON.stringify(definition);
      if (known !== text) note(actor, known === undefined ? "topic.created" : "topic.changed", name, headers);
      topics.set(name, text);
    };
    const changeSubscription = async (actor: Actor, name: string): Promise<void> => {
      const path = `/v1/subscriptions/${name}`;
      const known = subscriptions.get(name);
      const chance = random();
      if (chance < 0.2) {
        const { headers } = await hub.json("DELETE", path, undefined, actor.headers);
        if (known !== undefined) note(actor, "subscription.deleted", name, headers);
        subscriptions.delete(name);
      } else if (chance < 0.4) {
        const verb = pick(random, ["pause", "resume"] as const);
        const { headers } = await hub.json("POST", `${path}/${verb}`, undefined, actor.headers);
        if (known !== undefined) note(actor, `subscription.${verb}d`, name, headers);
      } else {
        const hidden = pick(random, [{}, { secret: SECRET }, { headers: { "x-canary": CANARY } }]);
        const target = pick(random, [listener, webhook(hidden)]);
        const topicsNamed = [`s.${Math.floor(random() * 2)}`];
        const { headers } = await hub.json("PUT", path, { topics: topicsNamed, target }, actor.headers);
        const shown = { ...target, secret: undefined };
        const text = JSON.stringify([topicsNamed, shown, secretOf(target, known)]);
        if (known !== text) note(actor, `subscription.${known === undefined ? "created" : "changed"}`, name, headers);
        subscriptions.set(name, text);
      }
    };
    const note = (actor: Actor, action: string, subject: string, headers: globalThis.Headers): void => {
      expected.push({ actor: actor.name, action, subject, request: headers.get("x-request-id")! });
    };

    for (let step = 0; step < 200; step += 1) {
      const change = pick(random, [changeTopic, changeSubscription]);
      await change(pick(random, actors), `n${Math.floor(random() * 4)}`);
    }
    const entries = await listAll(actors[0]!);
    const told = entries.map(({ actor, action, subject, request }) => ({ actor, action, subject, request }));
    expect(told, `seed ${seed}`).toEqual(expected);
    expectChained(entries);
    const text = JSON.stringify(entries);
    for (const secret of [CANARY, SECRET, "whsec_"]) expect(text).not.toContain(secret);
    const headerValues = [...text.matchAll(/"x-canary":"([^"]*)"/g)].map(([, value]) => value);
    expect(new Set(headerValues), `seed ${seed}`).toEqual(new Set(["********"]));
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted());
    expect(await listAll(actors[0]!, "&order=desc")).toEqual(entries.toReversed());
  });

  /** What one change of a definition left is what the next one found. */
  function expectChained(entries: readonly Entry[]): void {
    const changes = entries.filter(({ action }) => /\.(created|changed|deleted)$/.test(action));
    const byThing = Map.groupBy(changes, ({ action, subject }) => `${action.split(".")[0]} ${subject}`);
    for (const [thing, history] of byThing) {
      let last: unknown = null;
      for (const { before, after } of history) {
        expect(before, thing).toEqual(last);
        last = after;
      }
    }
  }

  it("[AUD-1] of racing changes tells those that won, and each from what the one before it left", async () => {
    const [root, key] = (await makeApp(1)) as [Actor, Actor];
    const put = (actor: Actor, at: number) =>
      at % 2 === 0
        ? hub.json("PUT", "/v1/topics/raced", { description: `${at}` }, actor.headers)
        : hub.json("PUT", "/v1/subscriptions/raced", { topics: [`t.${at}`], target: listener }, actor.headers);
    const answers = await Promise.all(Array.from({ length: 24 }, (_, at) => put(at % 3 === 0 ? root : key, at)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const entries = await listAll(root);
    expectChained(entries);
    expect(entries).toHaveLength(24);
    expect(entries.filter(({ action }) => action.endsWith("created"))).toHaveLength(2);
    const shown = await hub.json<object>("GET", "/v1/subscriptions/raced", undefined, root.headers);
    const { revision: _revision, ...last } = entries.findLast(({ action }) => action.startsWith("subscription"))!
      .after as { revision: number };
    expect(shown.body).toMatchObject(last);
  });

  it("[AUD-3] names who made a topic by publishing to it or by following it", async () => {
    const [root, key] = (await makeApp(1)) as [Actor, Actor];
    const token = key.headers["authorization"]!.slice("Bearer ".length);
    await hub.publish("published", { type: "t" }, key.headers);
    await hub.json("GET", "/v1/topics/polled/events?wait=1ms", undefined, key.headers);
    const stream = await hub.request("/v1/topics/streamed/events", {
      headers: { ...key.headers, accept: "text/event-stream" },
    });
    await stream.body!.cancel();
    const socket = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${token}`);
    await socket.subscribe("followed");
    socket.close();
    const all = await listAll(root, "&action=topic.created");
    const entries = all.filter(({ actor }) => actor !== "hub"); // Which makes $system.channels when somebody follows.
    const told = entries.map(({ actor, subject, before }) => [actor, subject, before]);
    expect(told).toEqual(["published", "polled", "streamed", "followed"].map((topic) => [key.name, topic, null]));
    expect(entries[0]!.after).toMatchObject({ name: "published", partitions: 1, retention: {} });
    expect(entries.every(({ request }) => request !== "")).toBe(true);
  });

  it("[AUD-4] tells what was asked of dead letters and of the ledger, and nothing of a dry run", async () => {
    const [root, key] = (await makeApp(1)) as [Actor, Actor];
    sink.respond(() => 422);
    const name = "/v1/subscriptions/repaired";
    await hub.json("PUT", name, { topics: ["r"], target: webhook() }, root.headers);
    await hub.publish("r", [{ type: "t" }, { type: "t" }, { type: "t" }], root.headers);
    const letters = () => hub.json<{ items: { id: string }[] }>("GET", `${name}/dead-letters`, undefined, key.headers);
    const dead = await eventually(letters, ({ body }) => body.items.length === 3, "three dead letters");
    const ids = [dead.body.items[0]!.id];
    await hub.json("POST", `${name}/pause`, undefined, key.headers);
    for (const choice of [{ all: true, dryRun: true }, { ids }, { ids, dryRun: true }])
      await hub.json("POST", `${name}/dead-letters/redrive`, choice, key.headers);
    await hub.json("POST", `${name}/dead-letters/discard`, { all: true }, key.headers);
    await hub.json("POST", `${name}/dead-letters/discard`, { some: true }, key.headers);
    const entries = await listAll(root, "&subject=repaired");
    expect(entries.map(({ action, before, after }) => [action, before, after]).slice(1)).toEqual([
      ["subscription.paused", { state: "active" }, { state: "paused" }],
      ["dead_letters.redriven", null, { ids, idsAsked: 1, matched: 1 }],
      ["dead_letters.discarded", null, { all: true, matched: 2 }],
    ]);
  });

  it("[AUD-5] is for admins, of their own app, in pages, by action and by subject", async () => {
    const [root, key] = (await makeApp(1)) as [Actor, Actor];
    const [stranger] = (await makeApp(0)) as [Actor];
    for (let made = 0; made < 5; made += 1) await hub.json("PUT", `/v1/topics/t${made}`, {}, key.headers);
    await hub.json("DELETE", "/v1/topics/t3", undefined, key.headers);
    expect((await listAll(root, "&action=topic.deleted")).map(({ subject }) => subject)).toEqual(["t3"]);
    expect((await listAll(root, "&subject=t3")).map(({ action }) => action)).toEqual([
      "topic.created",
      "topic.deleted",
    ]);
    expect((await listPage(root, "?limit=1000&order=desc")).cursor).toBeNull();
    expect(JSON.stringify(await listPage(stranger))).not.toContain('"t3"');

    const reader = await makeKey(root.headers["tidings-app"]!, ["manage:**", "history:**", "redrive:subscriptions"]);
    const refusals: [Headers, string, string][] = [
      [reader.headers, "", "scope_missing"],
      [root.headers, "?cursor=x", "cursor_invalid"],
      [root.headers, "?order=up", "parameter_invalid"],
      [root.headers, "?limit=0", "parameter_invalid"],
    ];
    for (const [headers, query, code] of refusals)
      expect((await hub.json("GET", `/v1/audit${query}`, undefined, headers)).body).toMatchObject({ code });
  });
});
