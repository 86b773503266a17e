/** Canaries: a secret in every place that takes one, and then a look into every place that could tell it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { ROUTES } from "../builders/route-refusals.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const bytes = (text: string): string => Buffer.from(text.padEnd(32, "!")).toString("base64");

/** By what it is; each is unlike anything else in the hub. */
const canaries = new Map<string, string>([
  ["the root key", "canary-root-key-5f1d"],
  ["the key of secrets", "canary-secrets-key-77aa"],
  ["a webhook's secret", `whsec_${bytes("canary-webhook-secret-91c2")}`],
  ["a custom header's value", "canary-header-value-3e07"],
  ["a wrong API key", `tdg_${"c".repeat(12)}_${"Canary".repeat(7)}x000000`],
  ["a wrong token", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImNhbmFyeSJ9.eyJqdGkiOiJjYW5hcnkifQ.Y2FuYXJ5LWNhbmFyeS1jYW5hcnk"],
]);

let hub: Hub;
let sink: Sink;
/** Everything that the hub has answered to those who look. */
const seen: string[] = [];

beforeAll(async () => {
  const vars = { ROOT_KEY: canaries.get("the root key")!, SECRETS_KEY: canaries.get("the key of secrets")! };
  [hub, sink] = await Promise.all([startHub({ vars }), Sink.open(() => ({ status: 500, body: "no" }))]);
});
afterAll(async () => {
  await Promise.all([hub.close(), sink.close()]);
});

async function ask<Body>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Body> {
  const answer = await hub.request(path, {
    method,
    headers: {
      authorization: `Bearer ${canaries.get("the root key")}`,
      "content-type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  for (const [name, value] of answer.headers) seen.push(`${name}: ${value}`);
  seen.push(text);
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  return (isJson ? JSON.parse(text) : null) as Body;
}

/** What shows a secret this once, to whom it was made for, is not what others see; nor is it kept under the key. */
async function askForSecret<Body>(method: string, path: string, body: unknown): Promise<Body> {
  const before = seen.length;
  const answer = await ask<Body>(method, path, body, { "idempotency-key": "once" });
  seen.length = before;
  return answer;
}

async function plant(): Promise<string[]> {
  const target = { kind: "webhook", url: `${sink.url}/hook` };
  const headers = { "X-Api-Key": canaries.get("a custom header's value")! };
  const secret = canaries.get("a webhook's secret")!;
  const once = { topics: ["orders"], retry: { maxAttempts: 1 } };
  await ask("PUT", "/v1/subscriptions/given", { ...once, target: { ...target, headers, secret } });
  await ask("PUT", "/v1/subscriptions/given", { ...once, target: { ...target, headers, secret }, timeout: "2s" });
  const minted = await askForSecret<{ target: { secret: string } }>("PUT", "/v1/subscriptions/minted", {
    ...once,
    target,
  });
  canaries.set("a minted webhook secret", minted.target.secret);
  const rotation = "/v1/subscriptions/minted/secret/rotate";
  const next = await askForSecret<{ secret: string }>("POST", rotation, { overlap: "1h" });
  canaries.set("a rotated webhook secret", next.secret);

  const scopes = ["publish:**", "manage:**", "admin"];
  const key = await askForSecret<{ id: string; key: string; tokenSecret: string }>("POST", "/v1/keys", {
    name: "backend",
    scopes,
    tokens: { algorithm: "HS256" },
  });
  canaries.set("an API key", key.key).set("the secret of its tokens", key.tokenSecret);
  const rotated = await askForSecret<{ key: string }>("POST", `/v1/keys/${key.id}/rotate`, {});
  canaries.set("a rotated API key", rotated.key);
  const token = await askForSecret<{ token: string }>("POST", "/v1/tokens", { scopes: ["subscribe:**"] });
  canaries.set("a token", token.token);
  const secretPart = /^tdg_[^_]+_(.{43})/;
  canaries.set("the secret part of a key", secretPart.exec(rotated.key)![1]!);
  return [key.id];
}

/** Wrong in every way that carries a secret, and answered with a problem. */
async function offend(): Promise<void> {
  for (const name of ["a wrong API key", "a wrong token", "an API key", "a token"]) {
    const text = canaries.get(name)!;
    await ask("GET", "/v1/apps", undefined, { authorization: `Bearer ${text}` });
    await ask("GET", `/v1/topics?token=${text}`);
    await ask("POST", "/v1/topics/orders/events", `{"type":${text}}`);
    await ask("POST", "/v1/revocations", { token: "", user: "", [text.slice(0, 20)]: text });
    await ask("POST", "/v1/keys", {
      name: "x",
      scopes: [text],
      tokens: { algorithm: "EdDSA", publicKey: { d: text } },
    });
    await ask("GET", `/v1/keys/${text}`);
    await ask("POST", "/v1/tokens", { scopes: [text], user: { id: 7, data: text } });
  }
  const header = canaries.get("a custom header's value")!;
  const bad = {
    kind: "webhook",
    url: `https://u:${header}@acme.com/`,
    headers: { "X-A": `${header}\n` },
    secret: header,
  };
  await ask("POST", "/v1/subscriptions/given/secret/rotate", { secret: header });
  await ask("PUT", "/v1/subscriptions/bad", { topics: ["orders"], target: bad });
}

async function lookEverywhere(ids: readonly string[]): Promise<void> {
  for (const { path } of ROUTES.filter(({ method, path }) => method === "GET" && path !== "/v1/connect")) {
    for (const name of ["given", "minted", "orders", "default", ...ids])
      await ask("GET", `${path.replaceAll(/:\w+/g, name)}?limit=1000`);
  }
}

/** Every row of every table, of the database and of each object. */
async function dump(): Promise<string[]> {
  const database = await hub.database();
  const tables = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'`;
  const rows: unknown[] = [];
  for (const { name } of (await database.prepare(tables).all<{ name: string }>()).results)
    rows.push(name, (await database.prepare(`SELECT * FROM "${name}"`).all()).results);

  const { results: ledgers } = await database
    .prepare("SELECT app, id FROM subscriptions")
    .all<{ app: string; id: string }>();
  for (const { app, id } of ledgers) {
    const ledger = objectName("subscription", app, id);
    for (const { name } of (await hub.rows("Subscription", ledger, tables)) as { name: string }[])
      rows.push(name, await hub.rows("Subscription", ledger, `SELECT * FROM "${name}"`));
  }
  return rows.map((row) => JSON.stringify(row));
}

it("[SEC-14] what is secret is shown to nobody, logged nowhere and stored in no plain form", async () => {
  const ids = await plant();
  await ask("POST", "/v1/topics/orders/events", { type: "order.created", data: 1 });
  await sink.until(({ deliveries }) => deliveries.length >= 2, "both webhooks are called");
  // The target itself gets what is its own.
  expect(sink.deliveries.some(({ headers }) => headers["x-api-key"] === canaries.get("a custom header's value"))).toBe(
    true,
  );
  await eventually(
    () => ask<{ items: unknown[] }>("GET", "/v1/subscriptions/given/dead-letters"),
    ({ items }) => items.length > 0,
    "a dead letter",
  );
  await ask("POST", "/v1/subscriptions/given/dead-letters/redrive", { all: true });
  await offend();
  await lookEverywhere(ids);

  const places = { answers: seen, logs: hub.logs.map((line) => JSON.stringify(line)), rows: await dump() };
  for (const [what, secret] of canaries) {
    // A controlled look: the very text, not what JSON makes of it.
    const told = Object.entries(places).flatMap(([place, texts]) =>
      texts.filter((text) => text.includes(secret)).map((text) => `${place}: ${text.slice(0, 300)}`),
    );
    expect(told, what).toEqual([]);
  }
  // Controls: the looks saw what is there.
  expect(canaries.size).toBe(13);
  expect(places.rows.join()).toMatch(/sealed:v1:/);
  expect(places.answers.join()).toContain("********");
  expect(places.logs.join()).toContain("delivery.attempted");
});

it("[SEC-5, SEC-9] secrets outlive a rotation of their key, and a key taken away too early breaks deliveries only", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidings-secrets-"));
  const secret = `whsec_${bytes("a secret that goes on")}`;
  const accepting = await Sink.open();
  const withKeys = (keys: string): Promise<Hub> => startHub({ persistTo: folder, vars: { SECRETS_KEY: keys } });
  try {
    const target = { kind: "webhook", url: `${accepting.url}/hook`, secret };
    const first = await withKeys("old");
    await first.json("PUT", "/v1/subscriptions/shop", { topics: ["orders"], target, retry: { maxAttempts: 1 } });
    await first.close();

    const rotated = await withKeys("new,old");
    await rotated.publish("orders", { type: "t" });
    await accepting.until(({ accepted }) => accepted.length === 1, "a delivery after the rotation");
    const { headers, body } = accepting.accepted[0]!;
    expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    await rotated.close();

    const early = await withKeys("new");
    await early.publish("orders", { type: "t" });
    const { body: letters } = await eventually(
      () => early.json<{ items: { attempts: object[] }[] }>("GET", "/v1/subscriptions/shop/dead-letters"),
      (answer) => answer.body.items.length > 0,
      "a dead letter",
    );
    expect(letters.items).toMatchObject([{ attempts: [{ error: "secret_unreadable" }] }]);
    expect((await early.json("GET", "/v1/subscriptions/shop")).status).toBe(200);
    await early.close();
    expect(accepting.deliveries).toHaveLength(1);
  } finally {
    await accepting.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
