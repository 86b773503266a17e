import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { bearer, makeClaims, makeEdSigner, makeHmacSigner, signToken } from "../builders/tokens.ts";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

interface Minted {
  readonly token: string;
  readonly id: string;
  readonly expiresAt: string;
}

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const mint = (body: unknown, headers: Record<string, string> = {}): Promise<Answer<Minted>> =>
  hub.json<Minted>("POST", "/v1/tokens", body, headers);

async function minted(body: object, headers: Record<string, string> = {}): Promise<Minted> {
  const answer = await mint(body, headers);
  expect(answer.status).toBe(201);
  return answer.body;
}

async function makeKey(scopes: readonly string[], more: object = {}): Promise<{ id: string; key: string }> {
  const { body } = await hub.json<{ id: string; key: string }>("POST", "/v1/keys", {
    name: "backend",
    scopes,
    ...more,
  });
  return body;
}

const open = (token: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${token}`);

const publish = async (topic: string, token: string): Promise<number> =>
  (await hub.publish(topic, { type: "t" }, bearer(token))).status;

describe("a token that the hub signs", () => {
  it("[TOK-1] for a key or for the root key does what it says, over HTTP and on a socket", async () => {
    const { key } = await makeKey(["publish:**", "subscribe:**"]);
    for (const headers of [bearer(key), {}]) {
      const { token, id, expiresAt } = await minted({ scopes: ["publish:minted"], user: { id: "ada" } }, headers);
      const claims = decodeJwt(token);
      expect(claims).toMatchObject({ iss: "tidings", aud: "/apps/default", sub: "ada", jti: id });
      expect(claims["scopes"]).toEqual(["publish:minted"]);
      expect(new Date(claims.exp! * 1_000).toISOString()).toBe(expiresAt);
      expect(Math.round(claims.exp! - claims.iat!)).toBe(LIMITS.TOKEN_LIFE_MS_DEFAULT / 1_000);
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: "HS256", typ: "JWT" });
      expect(await publish("minted", token)).toBe(201);
      const socket = await open(token);
      expect(socket.messages[0]).toMatchObject({ op: "welcome", expiresAt });
      const answer = await socket.ask({ op: "publish", topic: "minted", event: { type: "t" } });
      expect(answer).toMatchObject({ op: "published" });
      await socket.close();
    }
  });

  it("[TOK-7] for the root key is for the app that it names, and for no other", async () => {
    await hub.json("POST", "/v1/apps", { name: "shop" });
    const { token } = await minted({ scopes: ["publish:**"] }, { "tidings-app": "shop" });
    expect(decodeJwt(token).aud).toBe("/apps/shop");
    expect(await publish("only-in-shop", token)).toBe(201);
    expect((await hub.json("GET", "/v1/topics/only-in-shop")).status).toBe(404);
    const elsewhere = await hub.publish("t", { type: "t" }, { ...bearer(token), "tidings-app": "default" });
    expect(elsewhere.body).toMatchObject({ code: "app_not_found" });
    await hub.json("DELETE", "/v1/apps/shop");
    expect(await publish("only-in-shop", token)).toBe(401);
    await hub.json("POST", "/v1/apps", { name: "shop" });
    expect(await publish("only-in-shop", token)).toBe(401);
  });

  it("[TOK-4] is no wider than its key: each scope beyond it is named, and nothing is signed", async () => {
    const { key } = await makeKey(["publish:order.*", "subscribe:order.**"]);
    const asked = ["publish:order.created", "publish:**", "history:order.x", "manage:order.*", "publish:order.*"];
    const { status, body } = await mint({ scopes: asked }, bearer(key));
    expect(status).toBe(403);
    expect(body).toMatchObject({ code: "scope_missing", errors: [{ pointer: "/scopes/1" }, { pointer: "/scopes/3" }] });
    expect((await mint({ scopes: ["publish:order.created"] }, bearer(key))).status).toBe(201);
  });

  it.each<[string, unknown, string]>([
    ["admin", { scopes: ["admin"] }, "/scopes/0"],
    ["no scopes", {}, "/scopes"],
    ["an unknown scope", { scopes: ["own:**"] }, "/scopes/0"],
    ["51 scopes", { scopes: Array.from({ length: 51 }, () => "publish:a") }, "/scopes"],
    ["a ttl of nothing", { scopes: ["publish:a"], ttl: "0s" }, "/ttl"],
    ["a ttl of 61 minutes", { scopes: ["publish:a"], ttl: "61m" }, "/ttl"],
    ["a ttl in seconds", { scopes: ["publish:a"], ttl: 60 }, "/ttl"],
    ["a user without an id", { scopes: ["publish:a"], user: { data: 1 } }, "/user/id"],
    ["a user who is a string", { scopes: ["publish:a"], user: "ada" }, "/user"],
    ["a user of 257 bytes", { scopes: ["publish:a"], user: { id: "u".repeat(257) } }, "/user/id"],
    ["data of over 4 KB", { scopes: ["publish:a"], user: { id: "u", data: "x".repeat(4_100) } }, "/user/data"],
    ["what nobody knows", { scopes: ["publish:a"], exp: 1 }, "/exp"],
  ])("[TOK-4] with %s is refused with its pointer", async (_name, body, pointer) => {
    const answer = await mint(body);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: "parameter_invalid", errors: [{ pointer }] });
    if (pointer === "/ttl") expect(answer.body).toMatchObject({ limit: LIMITS.TOKEN_LIFE_MS_MAX });
  });

  it("[TOK-4] cannot sign another, and the hub signs for no key whose owner does", async () => {
    const { token } = await minted({ scopes: ["publish:**"] });
    expect(await mint({ scopes: ["publish:a"] }, bearer(token))).toMatchObject({ status: 403 });
    const { key } = await makeEdSigner(hub, ["publish:**"]);
    const refused = await mint({ scopes: ["publish:a"] }, bearer(key));
    expect(refused).toMatchObject({ status: 409, body: { code: "token_key_not_held" } });
  });

  it("[TOK-4] is shown once: its answer is never repeated", async () => {
    const headers = { "idempotency-key": "mint-once" };
    await minted({ scopes: ["publish:a"] }, headers);
    const again = await mint({ scopes: ["publish:a"] }, headers);
    expect(again).toMatchObject({ status: 409, body: { code: "idempotency_not_replayable" } });
  });

  it("[TOK-1] carries its user's data to the character", async () => {
    const data = '{"n":12345678901234567890,"one":1.0,"s":"é😀"}';
    const response = await hub.request("/v1/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"scopes":["subscribe:**"],"user":{"id":"ada","data":${data}}}`,
    });
    const { token } = (await response.json()) as Minted;
    expect(Buffer.from(token.split(".")[1]!, "base64url").toString()).toContain(`"user_data":${data}`);
    await (await open(token)).close();
  });
});

describe("what a token may do", () => {
  it("[TOK-5] publish:order.* is order.created, and neither order.created.eu nor orders", async () => {
    const { token } = await minted({ scopes: ["publish:order.*"] });
    const socket = await open(token);
    const expected = {
      "order.created": true,
      "order.created.eu": false,
      orders: false,
      order: false,
      "$order.x": false,
    };
    for (const [topic, mayPublish] of Object.entries(expected)) {
      expect(await publish(topic, token)).toBe(mayPublish ? 201 : 403);
      const answer = await socket.ask({ op: "publish", topic, event: { type: "t" } });
      if (mayPublish) expect(answer.op).toBe("published");
      else expect(answer).toMatchObject({ op: "error", problem: { code: "scope_missing" } });
      expect((await hub.json("GET", `/v1/topics/${encodeURIComponent(topic)}`)).status).toBe(mayPublish ? 200 : 404);
    }
    await socket.close();
  });

  it("[TOK-5] is what its key allows as well, whatever it says of itself", async () => {
    const signer = await makeHmacSigner(hub, ["publish:order.*", "history:order.*"]);
    const wide = await signToken(signer, makeClaims({ scopes: ["publish:**", "subscribe:**", "manage:**"] }));
    expect(await publish("order.created", wide)).toBe(201);
    expect(await publish("stock", wide)).toBe(403);
    const read = await hub.json("GET", "/v1/topics/order.created/events", undefined, bearer(wide));
    expect(read.status).toBe(200);
    const made = await hub.json("PUT", "/v1/topics/order.mine", {}, bearer(wide));
    expect(made).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    const socket = await open(wide);
    expect(await socket.subscribe("order.created")).toMatchObject({ op: "error", problem: { code: "scope_missing" } });
    await socket.close();
  });

  it("[TOK-5] is judged for topics that others follow already", async () => {
    const follower = await hub.connect();
    await follower.subscribe("followed");
    const socket = await open((await minted({ scopes: ["subscribe:other"] })).token);
    expect(await socket.subscribe("followed")).toMatchObject({ op: "error", problem: { code: "scope_missing" } });
    await hub.publish("followed", { type: "t" });
    await follower.until(() => follower.events().length === 1, "the event");
    expect(socket.events()).toEqual([]);
    await socket.close();
    await follower.close();
  });

  it("[TOK-8] ends with its key: when that is revoked, and when that expires", async () => {
    const revoked = await makeKey(["publish:**"]);
    const { token } = await minted({ scopes: ["publish:**"] }, bearer(revoked.key));
    expect(await publish("ends", token)).toBe(201);
    await hub.json("DELETE", `/v1/keys/${revoked.id}`);
    expect(await publish("ends", token)).toBe(401);

    const expiresAt = new Date(Date.now() + 2_000).toISOString();
    const short = await makeHmacSigner(hub, ["publish:**"], { expiresAt });
    const own = await signToken(short);
    const socket = await open(own);
    expect(socket.messages[0]).toMatchObject({ expiresAt });
    const byHub = await minted({ scopes: ["publish:**"], ttl: "1h" }, bearer(short.key));
    expect(byHub.expiresAt).toBe(expiresAt);
    expect(await publish("ends", own)).toBe(201);
    const after = await eventually(
      () => hub.publish("ends", { type: "t" }, bearer(own)),
      ({ status }) => status !== 201,
      "the end of the key",
    );
    expect(after.body).toMatchObject({ code: "credential_expired" });
    await socket.closed;
  });
});
