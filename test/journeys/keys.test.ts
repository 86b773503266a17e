import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatApiKey, parseApiKey } from "../../src/core/api-key-text.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { hashSecret } from "../../src/worker/access/api-key.ts";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { TestSocket, type HubMessage } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

interface KeyAnswer {
  readonly id: string;
  readonly key: string;
  readonly tokenSecret?: string;
  readonly [name: string]: unknown;
}

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  for (const name of ["first", "second"]) await hub.json("POST", "/v1/apps", { name });
});
afterAll(() => hub.close());

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

async function makeKey(scopes: readonly string[], more: object = {}): Promise<KeyAnswer> {
  const { status, body } = await hub.json<KeyAnswer>("POST", "/v1/keys", { name: "test", scopes, ...more });
  expect(status).toBe(201);
  return body;
}

const publishWith = (key: string, topic = "order.created"): Promise<Answer<unknown>> =>
  hub.publish(topic, { type: "t" }, bearer(key));

const openSocket = (key: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${key}`);

const isRevoked = ({ op, problem }: HubMessage): boolean =>
  op === "error" && (problem as { readonly code: string }).code === "credential_revoked";

interface Asked {
  readonly method?: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Status, headers and body, without what differs from request to request. */
async function bytesOf(path: string, init: Asked): Promise<string> {
  const type = init.body === undefined ? {} : { "content-type": "application/json" };
  const response = await hub.request(path, { ...init, headers: { ...init.headers, ...type } });
  const headers = [...response.headers].filter(([name]) => name !== "x-request-id" && name !== "date");
  return JSON.stringify([response.status, headers.toSorted(), await response.text()]);
}

const rotate = (id: string, overlap: string): Promise<Answer<KeyAnswer>> =>
  hub.json<KeyAnswer>("POST", `/v1/keys/${id}/rotate`, { overlap });

describe("API keys", () => {
  it("[ACC-2] are shown once, with what they are, and never again", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const { key, ...shown } = await makeKey(["publish:order.*"], { quotas: { sockets: 3 }, expiresAt });
    const { id, secret } = parseApiKey(key)!;
    expect(shown).toMatchObject({
      id,
      name: "test",
      scopes: ["publish:order.*"],
      quotas: { sockets: 3 },
      tokens: { algorithm: "HS256" },
      expiresAt,
      previousUntil: null,
      lastUsedAt: null,
    });
    const one = await hub.json("GET", `/v1/keys/${id}`);
    expect(one.body).toEqual(shown);
    const database = await hub.database();
    const { results } = await database.prepare("SELECT * FROM api_keys WHERE id = ?").bind(id).all();
    const audit = await database.prepare("SELECT * FROM audit").all();
    const list = await hub.json("GET", "/v1/keys?limit=1000");
    for (const told of [results, audit.results, one.body, list.body, hub.logs])
      expect(JSON.stringify(told)).not.toContain(secret);
    expect(results).toMatchObject([{ secret_hash: hashSecret(secret) }]);
    for (const told of [audit.results, one.body, list.body, hub.logs])
      expect(JSON.stringify(told)).not.toContain(hashSecret(secret));
  });

  it("[ACC-2] under an Idempotency-Key are not minted twice, nor shown twice", async () => {
    const ask = () =>
      hub.json("POST", "/v1/keys", { name: "once", scopes: ["admin"] }, { "idempotency-key": "make-a-key" });
    expect((await ask()).status).toBe(201);
    const again = await ask();
    expect([again.status, again.body["code"]]).toEqual([409, "idempotency_not_replayable"]);
    const list = await hub.json<{ items: { name: string }[] }>("GET", "/v1/keys?limit=1000");
    expect(list.body.items.filter(({ name }) => name === "once")).toHaveLength(1);
  });

  it("[ACC-4] open what their scopes name, and nothing else", async () => {
    const { key } = await makeKey(["publish:order.*"]);
    expect((await publishWith(key)).status).toBe(201);
    for (const topic of ["order.created.eu", "orders"]) {
      expect(await publishWith(key, topic)).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    }
    for (const [method, path] of [
      ["GET", "/v1/topics/order.created/events"],
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys"],
      ["GET", "/v1/apps"],
      ["POST", "/v1/revocations"],
      ["GET", "/v1/audit"],
    ] as const) {
      const { status, body } = await hub.json(method, path, method === "POST" ? {} : undefined, bearer(key));
      expect([path, status, body["code"]]).toEqual([path, 403, "scope_missing"]);
    }
  });

  it("[ACC-3] that do not hold are refused with the same bytes, whyever", async () => {
    const { id, key } = await makeKey(["admin"]);
    const other = await makeKey(["admin"]);
    const revoked = await makeKey(["admin"]);
    await publishWith(revoked.key);
    await hub.json("DELETE", `/v1/keys/${revoked.id}`);
    const mistyped = key.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    // Another key's secret, with a checksum that fits.
    const wrong = formatApiKey({ id, secret: parseApiKey(other.key)!.secret });
    const unknown = formatApiKey({ id: "A".repeat(12), secret: parseApiKey(key)!.secret });
    const ofAll = [wrong, unknown, mistyped, revoked.key, "nonsense", `${key}x`].map((credential) =>
      bytesOf("/v1/topics", { headers: bearer(credential) }),
    );
    const answers = new Set(await Promise.all(ofAll));
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain("unauthenticated");
    expect((await hub.json("GET", "/v1/topics", undefined, bearer(key))).status).toBe(200);
  });

  it("[ACC-3] that have expired say so", async () => {
    const soon = new Date(Date.now() + 1_000).toISOString();
    const { key } = await makeKey(["publish:**"], { expiresAt: soon });
    expect((await publishWith(key)).status).toBe(201);
    const expired = await eventually(
      () => publishWith(key),
      ({ status }) => status !== 201,
      "the key has expired",
    );
    expect(expired).toMatchObject({ status: 401, body: { code: "credential_expired" } });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(soon));
  });

  it("[ACC-6] are listed page by page, those of the app only", async () => {
    const inFirst = { "tidings-app": "first" };
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1)
      made.push((await hub.json<KeyAnswer>("POST", "/v1/keys", { name: "n", scopes: ["admin"] }, inFirst)).body.id);
    const ids: string[] = [];
    let cursor = "";
    do {
      const path = `/v1/keys?limit=2&cursor=${cursor}`;
      const page = await hub.json<{ items: { id: string }[]; cursor: string | null }>("GET", path, undefined, inFirst);
      ids.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.cursor ?? "";
    } while (cursor !== "");
    expect(ids).toEqual(made.toSorted());
  });

  it("[ACC-6] with admin make others for their own app", async () => {
    const admin = await makeKey(["admin"], { app: "first" });
    const made = await hub.json<KeyAnswer>("POST", "/v1/keys", { name: "n", scopes: ["admin"] }, bearer(admin.key));
    expect(made.status).toBe(201);
    expect((await hub.publish("theirs", { type: "t" }, bearer(made.body.key))).status).toBe(201);
    expect((await hub.json("GET", "/v1/topics/theirs")).status).toBe(404);
    expect((await hub.json("GET", "/v1/topics/theirs", undefined, { "tidings-app": "first" })).status).toBe(200);
  });

  it("[ACC-15] of another app are not there, byte for byte", async () => {
    const admin = await makeKey(["admin"], { app: "first" });
    const others = await makeKey(["admin"], { app: "second" });
    const asked = (id: string) =>
      Promise.all([
        bytesOf(`/v1/keys/${id}`, { headers: bearer(admin.key) }),
        bytesOf(`/v1/keys/${id}`, { method: "DELETE", headers: bearer(admin.key) }),
        bytesOf(`/v1/keys/${id}/rotate`, { method: "POST", headers: bearer(admin.key) }),
        bytesOf("/v1/revocations", { method: "POST", headers: bearer(admin.key), body: JSON.stringify({ key: id }) }),
      ]);
    const answers = await asked(others.id);
    expect(answers).toEqual(await asked("A".repeat(12)));
    for (const answer of answers) expect(answer).toContain("key_not_found");
    expect((await publishWith(others.key)).status).toBe(201);
  });

  it("[ACC-14] name no app but their own, and learn of no other", async () => {
    const { key } = await makeKey(["admin"], { app: "first" });
    const naming = (name: string) => bytesOf("/v1/topics", { headers: { ...bearer(key), "tidings-app": name } });
    const making = (app: string) =>
      bytesOf("/v1/keys", {
        method: "POST",
        headers: bearer(key),
        body: JSON.stringify({ name: "n", scopes: ["admin"], app }),
      });
    for (const ask of [naming, making]) {
      const answer = await ask("second");
      expect(answer).toContain("app_not_found");
      expect(answer).toBe(await ask("third"));
      expect(await ask("first")).not.toContain("app_not_found");
    }
  });

  it("[ACC-7] keep both secrets while a rotation overlaps, and the newest two when it is repeated", async () => {
    const { id, key: first } = await makeKey(["publish:**"]);
    const { status, body } = await rotate(id, "1h");
    expect([status, body.id]).toEqual([200, id]);
    expect(Date.parse(body["previousUntil"] as string)).toBeGreaterThan(Date.now() + 3_500_000);
    for (const key of [first, body.key]) expect((await publishWith(key)).status).toBe(201);
    const { key: third } = (await rotate(id, "1h")).body;
    const statuses = await Promise.all([first, body.key, third].map(async (key) => (await publishWith(key)).status));
    expect(statuses).toEqual([401, 201, 201]);
  });

  it("[ACC-7] end the secret before with its overlap, at once where there is none", async () => {
    const { id, key: first } = await makeKey(["publish:**"]);
    await publishWith(first);
    const { key: second } = (await rotate(id, "0s")).body;
    expect([(await publishWith(first)).status, (await publishWith(second)).status]).toEqual([401, 201]);
    const { key: third, previousUntil } = (await rotate(id, "1s")).body;
    const refused = await eventually(
      () => publishWith(second),
      ({ status }) => status !== 201,
      "the overlap has ended",
    );
    expect(refused.status).toBe(401);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(previousUntil as string));
    expect((await publishWith(third)).status).toBe(201);
  });

  it("[ACC-7] rotated by several at once are told the secret that each made, and the newest two are good", async () => {
    const { id } = await makeKey(["publish:**"]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(id, "1h")));
    const statuses = await Promise.all(answers.map(async ({ body }) => (await publishWith(body.key)).status));
    expect(statuses.toSorted()).toEqual([201, 201, 401, 401, 401]);
  });

  it("[ACC-30] rotated without an overlap lose their old sockets before the answer, and those with the new secret stay", async () => {
    const scopes = ["publish:**", "subscribe:**"];
    const { id, key: first } = await makeKey(scopes);
    const leaked = await openSocket(first);
    const { key: second } = (await rotate(id, "1h")).body;
    const previous = await openSocket(second);
    expect(await leaked.subscribe("rotated")).toMatchObject({ op: "subscribed" });
    const { key: third } = (await rotate(id, "2s")).body;
    await leaked.message(isRevoked, "the oldest secret's socket is told");
    const current = await openSocket(third);
    expect(await current.subscribe("rotated")).toMatchObject({ op: "subscribed" });
    expect(await previous.subscribe("rotated")).toMatchObject({ op: "subscribed" });
    expect((await previous.closed).code).toBe(4_401);
    const { key: fourth } = (await rotate(id, "0s")).body;
    expect((await current.closed).code).toBe(4_501);
    await (await openSocket(fourth)).close();
  });

  it("[ACC-30] whose hubs were not told of a rotation lose their old sockets by the cron", async () => {
    const { id, key } = await makeKey(["subscribe:**"]);
    const socket = await openSocket(key);
    const database = await hub.database();
    const change = "INSERT INTO access_changes (app, kind, subject, at, expires_at, settled)";
    const subject = `${id}.${hashSecret(parseApiKey(key)!.secret).slice(0, 16)}`;
    const at = Date.now() - 60_000;
    await database
      .prepare(`${change} VALUES ('app_default', 'secret', ?, ?, ?, 0)`)
      .bind(subject, at, at + 1e7)
      .run();
    await hub.runCron();
    await socket.message(isRevoked, "the socket is told");
  });

  it("[ACC-8] are refused as soon as they are revoked, and their sockets closed", async () => {
    for (const revoke of [
      (id: string) => hub.json("DELETE", `/v1/keys/${id}`),
      (id: string) => hub.json("POST", "/v1/revocations", { key: id }),
    ]) {
      const { id, key } = await makeKey(["publish:**", "subscribe:**"]);
      const steady = await makeKey(["publish:**"]);
      expect((await publishWith(key)).status).toBe(201);
      const socket = await openSocket(key);
      expect([201, 204]).toContain((await revoke(id)).status);
      expect(await publishWith(key)).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
      await socket.message(isRevoked, "the socket is told");
      expect((await publishWith(steady.key)).status).toBe(201);
      expect((await revoke(id)).status).toBe(404);
    }
  });

  it("[ACC-21] are as many as an app may have, and not one more of those that are made at once", async () => {
    const database = await hub.database();
    const columns = "id, app, name, secret_hash, scopes, quotas, token_algorithm, token_key, created_at";
    const { id: app } = (await database.prepare("SELECT id FROM apps WHERE name = 'second'").first<{ id: string }>())!;
    const there = (await database
      .prepare("SELECT count(*) AS n FROM api_keys WHERE app = ?")
      .bind(app)
      .first<number>("n"))!;
    await database
      .prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
         INSERT INTO api_keys (${columns}) SELECT 'filler' || i, ?1, 'n', '', '[]', '{}', 'HS256', '', 0 FROM n`,
      )
      .bind(app, LIMITS.APP_KEYS_MAX - there - 3)
      .run();
    const ask = () => hub.json("POST", "/v1/keys", { name: "n", scopes: ["admin"], app: "second" });
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    const refused = answers.find(({ status }) => status !== 201)!;
    expect(refused).toMatchObject({ status: 429, body: { code: "quota_exceeded", limit: LIMITS.APP_KEYS_MAX } });
  });

  it("[ACC-25] show the secret that signs their tokens to who asks for it, and keep it sealed", async () => {
    const { tokenSecret, id } = await makeKey(["admin"], { tokens: { algorithm: "HS256" } });
    expect(Buffer.from(tokenSecret!, "base64url")).toHaveLength(32);
    expect((await makeKey(["admin"])).tokenSecret).toBeUndefined();
    const database = await hub.database();
    const kept = await database
      .prepare("SELECT token_key FROM api_keys WHERE id = ?")
      .bind(id)
      .first<string>("token_key");
    expect(kept).toMatch(/^sealed:v1:/);
    expect(kept).not.toContain(tokenSecret!);
    const publicKey = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
    const owners = await makeKey(["admin"], { tokens: { algorithm: "EdDSA", publicKey } });
    expect(owners).toMatchObject({ tokens: { algorithm: "EdDSA" } });
    expect(owners.tokenSecret).toBeUndefined();
  });

  it("[ACC-20] leave each change in the audit log of their app, and nothing that opens", async () => {
    const { id, key } = await makeKey(["admin"], { app: "first", tokens: { algorithm: "HS256" } });
    const rotated = await hub.json<KeyAnswer>("POST", `/v1/keys/${id}/rotate`, {}, bearer(key));
    expect(rotated.status).toBe(200);
    await hub.json("DELETE", `/v1/keys/${id}`, undefined, { "tidings-app": "first" });
    const path = `/v1/audit?limit=1000&subject=${id}`;
    const { body } = await hub.json<{ items: { action: string; actor: string; before: unknown; after: unknown }[] }>(
      "GET",
      path,
      undefined,
      { "tidings-app": "first" },
    );
    expect(body.items.map(({ action, actor }) => [action, actor])).toEqual([
      ["key.created", "root"],
      ["key.rotated", `key:${id}`],
      ["key.revoked", "root"],
    ]);
    const [created, turned, revoked] = body.items;
    expect(created!.before).toBeNull();
    expect(created!.after).toMatchObject({ id, scopes: ["admin"], previousUntil: null });
    expect(turned!.before).toEqual(created!.after);
    expect(turned!.after).toMatchObject({ previousUntil: rotated.body["previousUntil"] });
    expect(revoked!.before).toEqual(turned!.after);
    expect(revoked!.after).toBeNull();
    expect(JSON.stringify(body)).not.toMatch(/tdg_|hash|sealed/);
  });

  it("[ACC-23] longer than a credential can be are refused unread", async () => {
    const long = "a".repeat(LIMITS.CREDENTIAL_CHARS_MAX + 1);
    const { status, body } = await hub.json("GET", "/v1/topics", undefined, bearer(long));
    expect([status, body["code"], body["limit"]]).toEqual([431, "credential_too_large", LIMITS.CREDENTIAL_CHARS_MAX]);
    const token = `a.${"b".repeat(LIMITS.CREDENTIAL_CHARS_MAX)}.c`;
    expect((await hub.json("GET", "/v1/topics", undefined, bearer(token))).status).toBe(431);
  });

  it("[ACC-24] that are asked for wrongly are not made", async () => {
    const { key } = await makeKey(["admin"], { app: "first" });
    const count = async () =>
      (await hub.json<{ items: object[] }>("GET", "/v1/keys", undefined, bearer(key))).body.items.length;
    const before = await count();
    for (const body of [
      {},
      { name: "n" },
      { name: "n", scopes: ["publish"] },
      { name: "n", scopes: ["admin"], x: 1 },
    ]) {
      const { status, body: problem } = await hub.json("POST", "/v1/keys", body, bearer(key));
      expect([status, problem["code"]]).toEqual([422, "key_invalid"]);
    }
    expect(await count()).toBe(before);
  });
});
