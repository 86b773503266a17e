/** What a credential that may do little can learn from the hub, or do with it, beside what its scopes say. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { bearer, makeClaims, makeHmacSigner, signToken } from "../builders/tokens.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";

let hub: Hub;
let database: D1Database;

beforeAll(async () => {
  hub = await startHub();
  database = await hub.database();
});
afterAll(() => hub.close());

interface List {
  readonly items: readonly { readonly name: string }[];
  readonly cursor: string | null;
}

async function makeKey(scopes: readonly string[]): Promise<string> {
  return (await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes })).body.key;
}

const mint = (scopes: readonly string[], more: object = {}) =>
  hub.json<{ token: string; code: string; limit: number; actual: number }>("POST", "/v1/tokens", { scopes, ...more });

const tokenFor = async (scopes: readonly string[], more: object = {}): Promise<string> =>
  (await mint(scopes, more)).body.token;

/** Page by page; every answer's text is shown to `look`. */
async function listAll(path: string, credential: string, look: (text: string) => void): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "?limit=1" : `?limit=1&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await hub.json<List>("GET", `${path}${query}`, undefined, bearer(credential));
    expect(status).toBe(200);
    look(JSON.stringify(body));
    names.push(...body.items.map(({ name }) => name));
    cursor = body.cursor;
  }
  return names;
}

const subscribe = (name: string, topics: readonly string[], credential = ROOT_KEY) => {
  const body = { topics, target: { kind: "pull" } };
  return hub.json("PUT", `/v1/subscriptions/${name}`, body, bearer(credential));
};

describe("a list", () => {
  it("[ACC-36] of topics shows what is theirs and tells no other name", async () => {
    for (const name of ["a-secret", "b-public", "c-secret", "d-public", "z-secret"])
      await hub.json("PUT", `/v1/topics/${name}`, {});
    const key = await makeKey(["history:b-public", "history:d-public"]);
    const names = await listAll("/v1/topics", key, (text) => expect(text).not.toContain("secret"));
    expect(names).toEqual(["b-public", "d-public"]);
    const stranger = await makeKey(["publish:b-public"]);
    expect(await listAll("/v1/topics", stranger, (text) => expect(text).not.toContain("secret"))).toEqual([]);
  });

  it("[ACC-36] of subscriptions does so too", async () => {
    for (const name of ["a-hidden", "b-mine", "c-hidden", "d-mine", "e-hidden"])
      expect((await subscribe(name, [name])).status).toBeLessThan(300);
    const key = await makeKey(["manage:b-mine", "manage:d-mine"]);
    const names = await listAll("/v1/subscriptions", key, (text) => expect(text).not.toContain("hidden"));
    expect(names).toEqual(["b-mine", "d-mine"]);
  });

  it("[ACC-36] that ends on a name which is not theirs seals it", async () => {
    await hub.json("POST", "/v1/apps", { name: "large" });
    const app = await database.prepare("SELECT id FROM apps WHERE name = 'large'").first<string>("id");
    const hidden = LIMITS.PAGE_EXAMINED_MAX + 2_000;
    await database
      .prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
         INSERT INTO topics SELECT ?1, name, epoch, revision, partitions, index_kind, retention, schema_policy,
           description, created_at, deleted_at, 1 FROM
           (SELECT iif(i = ?2, 'z-public', printf('hidden-%06d', i)) AS name FROM n),
           (SELECT epoch, revision, partitions, index_kind, retention, schema_policy, description, created_at,
              deleted_at FROM topics WHERE deleted_at IS NULL LIMIT 1)`,
      )
      .bind(app, hidden)
      .run();
    const made = { name: "n", scopes: ["history:z-public"], app: "large" };
    const { key } = (await hub.json<{ key: string }>("POST", "/v1/keys", made)).body;
    let pages = 0;
    const names = await listAll("/v1/topics", key, (text) => {
      pages += 1;
      expect(text).not.toContain("hidden");
    });
    expect([names, pages]).toEqual([["z-public"], 3]);
    const forged = await hub.json("GET", "/v1/topics?cursor=~sealed:v1:00000000:AAAA:AAAA", undefined, bearer(key));
    expect(forged).toMatchObject({ status: 400, body: { code: "cursor_invalid" } });
  });

  it("[ACC-37] is all that tells of a subscription: a PUT over another's is refused like one outside the scopes", async () => {
    await subscribe("taken", ["not-theirs"]);
    const key = await makeKey(["manage:theirs"]);
    const over = await subscribe("taken", ["theirs"], key);
    const outside = await subscribe("free", ["not-theirs"], key);
    expect(over).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    expect(over.body).toEqual(outside.body);
  });
});

describe("an answer under an Idempotency-Key", () => {
  const once = (value: string, credential: string) => ({ ...bearer(credential), "idempotency-key": value });

  it("[ACC-38] is not for a token of the same user that may do less", async () => {
    const user = { user: { id: "ada" } };
    const [wide, narrow] = [await tokenFor(["manage:kept"], user), await tokenFor(["publish:other"], user)];
    const put = (credential: string) => hub.json("PUT", "/v1/topics/kept", {}, once("same", credential));
    expect((await put(wide)).status).toBe(201);
    const repeated = await put(await tokenFor(["manage:kept"], user));
    expect([repeated.status, repeated.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect(await put(narrow)).toMatchObject({ status: 403, body: { code: "scope_missing" } });
  });

  it("[ACC-38] is not for another token for nobody", async () => {
    const [first, second] = [await tokenFor(["publish:shared"]), await tokenFor(["publish:shared"])];
    expect((await hub.publish("shared", { type: "t" }, once("same", first))).status).toBe(201);
    expect((await hub.publish("shared", { type: "t" }, once("same", first))).status).toBe(200);
    expect((await hub.publish("shared", { type: "t" }, once("same", second))).status).toBe(201);
  });

  it("[ACC-38] leaves no row where scope refuses the request", async () => {
    const token = await tokenFor(["publish:other"]);
    for (const [method, path] of [
      ["PUT", "/v1/topics/never"],
      ["POST", "/v1/revocations"],
      ["POST", "/v1/topics/never/events"],
    ] as const)
      expect((await hub.json(method, path, { user: "ada" }, once("refused", token))).status).toBe(403);
    const rows = "SELECT count(*) AS n FROM idempotency_keys WHERE key = 'refused'";
    expect(await database.prepare(rows).first<number>("n")).toBe(0);
  });
});

describe("a credential in the address", () => {
  const stream = { accept: "text/event-stream", authorization: "" };

  it.each([
    ["POST", "/v1/topics/t/events"],
    ["PUT", "/v1/topics/t"],
    ["GET", "/v1/topics"],
    ["GET", "/v1/events/x"],
    ["DELETE", "/v1/topics/t"],
    ["POST", "/v1/connect"],
  ])("[ACC-39] is refused on %s %s, whatever it accepts", async (method, path) => {
    const init = { method, headers: { ...stream, "content-type": "application/json" } };
    const body = method === "GET" ? {} : { body: '{"type":"t"}' };
    const response = await hub.request(`${path}?token=${ROOT_KEY}`, { ...init, ...body });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "credentials_in_url"]);
  });

  it("[ACC-39] opens a stream, and a page only in its header", async () => {
    await hub.publish("t", { type: "t" });
    const opened = await hub.request(`/v1/topics/t/events?token=${ROOT_KEY}`, { headers: stream });
    expect(opened.status).toBe(200);
    await opened.body!.cancel();
    const page = await hub.request(`/v1/topics/t/events?token=${ROOT_KEY}`, { headers: { authorization: "" } });
    expect(page.status).toBe(400);
  });
});

describe("a token", () => {
  it("[TOK-20] whose signer's clock is ahead ends with its user all the same", async () => {
    const signer = await makeHmacSigner(hub, ["publish:**"]);
    const ahead = Math.floor((Date.now() + LIMITS.TOKEN_EARLY_MS_MAX) / 1_000) - 1;
    const claims = makeClaims({ sub: "early", iat: ahead, exp: ahead + 600 });
    const early = await signToken(signer, claims);
    expect((await hub.publish("t", { type: "t" }, bearer(early))).status).toBe(201);
    await hub.json("POST", "/v1/revocations", { user: "early" });
    const after = await hub.publish("t", { type: "t" }, bearer(early));
    expect(after).toMatchObject({ status: 401, body: { code: "credential_revoked" } });
    // What the hub signs is dated by the clock that dates the revocation.
    const anew = await tokenFor(["publish:**"], { user: { id: "early" } });
    expect((await hub.publish("t", { type: "t" }, bearer(anew))).status).toBe(201);
  });

  it("[TOK-22] that would be longer than the hub takes is not signed", async () => {
    const data = "é".repeat(LIMITS.USER_DATA_BYTES_MAX / 2 - 10);
    const scopes = Array.from({ length: 14 }, (_, index) => `publish:${String(index).padEnd(190, "x")}`);
    const { status, body } = await mint(scopes, { user: { id: "u", data } });
    expect([status, body.code, body.limit]).toEqual([422, "parameter_invalid", LIMITS.CREDENTIAL_CHARS_MAX]);
    expect(body.actual).toBeGreaterThan(LIMITS.CREDENTIAL_CHARS_MAX);
  });
});
