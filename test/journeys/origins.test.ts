import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../builders/tokens.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { sendRaw } from "../harness/raw.ts";

const SHOP = "https://shop.example";
const FOREIGN = "https://attacker.example";
const IN_SHOP = { "tidings-app": "shop" };
const SCOPES = ["publish:**", "subscribe:**"];

let hub: Hub;
let token: string;
let tokenOfOpen: string;
let key: string;

beforeAll(async () => {
  hub = await startHub();
  await hub.json("POST", "/v1/apps", { name: "shop", origins: [SHOP, "http://localhost:5173"] });
  await hub.json("POST", "/v1/apps", { name: "closed", origins: [] });
  token = await mint(IN_SHOP);
  tokenOfOpen = await mint({});
  const made = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: SCOPES }, IN_SHOP);
  key = made.body.key;
});
afterAll(() => hub.close());

const mint = async (headers: Record<string, string>): Promise<string> =>
  (await hub.json<{ token: string }>("POST", "/v1/tokens", { scopes: SCOPES }, headers)).body.token;

const UPGRADE = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

/** What the browser's or any other client's upgrade is answered with. */
async function upgrade(credential: string, origin: string | null): Promise<{ status: number | null; text: string }> {
  const lines = [`GET /v1/connect?token=${credential} HTTP/1.1`, "Host: hub", ...UPGRADE];
  if (origin !== null) lines.push(`Origin: ${origin}`);
  return sendRaw(hub.url, [`${lines.join("\r\n")}\r\n\r\n`], { withinMs: 300 });
}

const originHeader = (origin: string | null): Record<string, string> => (origin === null ? {} : { origin });

async function stream(credential: string, origin: string | null): Promise<number> {
  const headers = { ...bearer(credential), ...originHeader(origin), accept: "text/event-stream" };
  const response = await hub.request("/v1/topics/open/events", { headers });
  await response.body?.cancel();
  return response.status;
}

const publish = async (credential: string, origin: string | null): Promise<Response> =>
  hub.request("/v1/topics/open/events", {
    method: "POST",
    headers: { ...bearer(credential), ...originHeader(origin), "content-type": "application/json" },
    body: JSON.stringify({ type: "t" }),
  });

describe("a browser token", () => {
  it.each<[string | null, boolean, boolean]>([
    [SHOP, true, true],
    ["http://localhost:5173", true, true],
    [null, false, true],
    [FOREIGN, false, false],
    ["null", false, false],
    ["", false, true], // An empty header is none.
    [`${SHOP}.attacker.example`, false, false],
    [`${SHOP}/`, false, false],
    [`${SHOP}:443`, false, false],
    [`${SHOP} ${FOREIGN}`, false, false],
    [`https://sub.shop.example`, false, false],
    ["http://shop.example", false, false],
    ["HTTPS://SHOP.EXAMPLE", false, false],
    ["http://localhost:5174", false, false],
  ])("[ORG-1] from a page of %s: an upgrade or a stream %s, another request %s", async (origin, live, other) => {
    const answer = await upgrade(token, origin);
    expect(answer.status).toBe(live ? 101 : 403);
    if (!live) expect(answer.text).toContain('"code":"origin_not_allowed"');
    expect(await stream(token, origin)).toBe(live ? 200 : 403);
    expect((await publish(token, origin)).status).toBe(other ? 201 : 403);
  });

  it("[ORG-1] of an app that lists no origins is looked at nowhere, and of one with an empty list let in nowhere", async () => {
    for (const origin of [FOREIGN, null]) expect((await upgrade(tokenOfOpen, origin)).status).toBe(101);
    const closed = await mint({ "tidings-app": "closed" });
    for (const origin of [SHOP, FOREIGN, null]) expect((await upgrade(closed, origin)).status).toBe(403);
  });

  it("[ORG-2] alone is held to origins: a backend with a key or the root key is not a page", async () => {
    for (const origin of [FOREIGN, null]) {
      expect((await upgrade(key, origin)).status).toBe(101);
      expect((await publish(key, origin)).status).toBe(201);
    }
    const asRoot = await hub.publish("open", { type: "t" }, { ...IN_SHOP, origin: FOREIGN });
    expect(asRoot.status).toBe(201);
  });

  it("[ORG-1] is held to the list as it is now", async () => {
    await hub.json("POST", "/v1/apps", { name: "moving", origins: [SHOP] });
    const moving = await mint({ "tidings-app": "moving" });
    expect((await publish(moving, SHOP)).status).toBe(201);
    await hub.json("PATCH", "/v1/apps/moving", { origins: ["https://moved.example"] });
    expect((await publish(moving, SHOP)).status).toBe(403);
    expect((await publish(moving, "https://moved.example")).status).toBe(201);
  });
});

async function preflight(path: string, headers: Record<string, string>): Promise<Response> {
  const asked = { "access-control-request-method": "POST", ...headers };
  return fetch(`${hub.url}${path}`, { method: "OPTIONS", headers: asked });
}

describe("a preflight", () => {
  it("[ORG-3] needs no credential, and names the origin, the methods of the path and the headers asked for", async () => {
    const asked = "authorization, Content-Type,idempotency-key, ce-id, x-secret, cookie";
    const answer = await preflight("/v1/topics/open/events", {
      origin: SHOP,
      "access-control-request-headers": asked,
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(answer.headers.get("access-control-allow-methods")!.split(", ").toSorted()).toEqual(["GET", "HEAD", "POST"]);
    expect(answer.headers.get("access-control-allow-headers")).toBe(
      "authorization, content-type, idempotency-key, ce-id",
    );
    expect(answer.headers.get("access-control-max-age")).toBe("600");
    expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
    expect(answer.headers.get("vary")).toContain("Origin");
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([FOREIGN, "null", `${SHOP}/`, "*", "é"])("[ORG-3] of %j, which no app lists, is refused", async (origin) => {
    const answer = await preflight("/v1/topics/open/events", { origin: encodeURI(origin) });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "origin_not_allowed" });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    expect(answer.headers.get("vary")).toContain("Origin");
  });

  it("[ORG-3] passes for an origin that was listed a moment ago", async () => {
    const fresh = "https://fresh.example";
    expect((await preflight("/v1/tokens", { origin: fresh })).status).toBe(403);
    await hub.json("POST", "/v1/apps", { name: "fresh", origins: [fresh] });
    await expect
      .poll(async () => (await preflight("/v1/tokens", { origin: fresh })).status, { timeout: 3_000 })
      .toBe(204);
  });

  it("[ORG-3] for an address where nothing is gets the 404, and an OPTIONS that is none stays what it was", async () => {
    const lost = await preflight("/v1/nowhere", { origin: SHOP });
    expect([lost.status, lost.headers.get("access-control-allow-origin")]).toEqual([404, SHOP]);
    const plain = await hub.json("OPTIONS", "/v1/topics/open/events", undefined, { origin: SHOP });
    expect(plain).toMatchObject({ status: 405, body: { code: "method_not_allowed" } });
  });
});

describe("an answer", () => {
  const isReadable = (response: Response): string | null => response.headers.get("access-control-allow-origin");

  it("[ORG-4] is readable by pages of its credential's app alone, problems too", async () => {
    const good = await publish(token, SHOP);
    expect(isReadable(good)).toBe(SHOP);
    expect(good.headers.get("access-control-expose-headers")).toBe(
      "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed",
    );
    expect(good.headers.get("vary")).toBe("Origin");
    const missing = await hub.request("/v1/topics/not-there/events", { headers: { ...bearer(token), origin: SHOP } });
    expect([missing.status, isReadable(missing)]).toEqual([404, SHOP]);
    const ofAnother = await publish(tokenOfOpen, SHOP);
    expect([ofAnother.status, isReadable(ofAnother)]).toEqual([201, null]);
    expect(ofAnother.headers.get("vary")).toBe("Origin");
    const byRoot = await hub.request("/v1/limits", { headers: { origin: SHOP, ...IN_SHOP } });
    expect(isReadable(byRoot)).toBe(SHOP);
  });

  it("[ORG-4] to a credential that nobody knows is readable by pages that some app lists", async () => {
    const [listed, foreign] = [await publish("tdg_wrong", SHOP), await publish("tdg_wrong", FOREIGN)];
    expect([listed.status, isReadable(listed)]).toEqual([401, SHOP]);
    expect([foreign.status, isReadable(foreign)]).toEqual([401, null]);
  });

  it("[ORG-4] without an Origin says nothing of origins, and a stream is readable as well", async () => {
    const plain = await publish(token, null);
    expect([isReadable(plain), plain.headers.get("vary")]).toEqual([null, null]);
    const headers = { ...bearer(token), origin: SHOP, accept: "text/event-stream" };
    const response = await hub.request("/v1/topics/open/events", { headers });
    expect(isReadable(response)).toBe(SHOP);
    await response.body!.cancel();
  });
});
