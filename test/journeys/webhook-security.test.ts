/** What a receiver can hold the hub to: its signatures through rotations, its public key, and its asking first. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createPublicKey, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { Sink, type ReceivedDelivery } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = await Promise.all([startHub(), Sink.open()]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
afterEach(() => {
  sink.deliveries.length = 0;
});

interface View {
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string }[];
  readonly target: { readonly secret?: string; readonly signing: string; readonly handshake: boolean };
  readonly publicKey?: string;
  readonly previousUntil?: string | null;
}

interface Rotated {
  readonly code?: string;
  readonly secret?: string;
  readonly publicKey?: string;
  readonly previousUntil: string | null;
}

const put = (name: string, target: object = {}, more: object = {}): Promise<Answer<View>> =>
  hub.json<View>("PUT", `/v1/subscriptions/${name}`, {
    topics: [name],
    target: { kind: "webhook", url: `${sink.url}/${name}`, ...target },
    ...more,
  });

const rotate = (name: string, body?: object, headers: Record<string, string> = {}): Promise<Answer<Rotated>> =>
  hub.json<Rotated>("POST", `/v1/subscriptions/${name}/secret/rotate`, body, headers);

async function deliver(name: string): Promise<ReceivedDelivery> {
  const seen = sink.deliveries.length;
  await hub.publish(name, { type: "t", data: "Grüße 😀" });
  await sink.until(({ deliveries }) => deliveries.length > seen, "the delivery");
  return sink.deliveries.at(-1)!;
}

const accepts = (secret: string, { body, headers }: ReceivedDelivery): boolean => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

/** Ed25519 as a receiver would do it: there is no package for `v1a`. */
function acceptsKey(publicKey: string, { body, headers }: ReceivedDelivery): boolean {
  const x = Buffer.from(publicKey.slice("whpk_".length), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const content = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const entries = headers["webhook-signature"]!.split(" ").filter((entry) => entry.startsWith("v1a,"));
  return entries.some((entry) => verify(null, content, key, Buffer.from(entry.slice("v1a,".length), "base64")));
}

describe("a secret that is rotated", () => {
  it("[WHK-10] is accepted by the official verifier, old and new, until its overlap ends", async () => {
    const first = (await put("rotated")).body.target.secret!;
    const rotated = await rotate("rotated");
    expect(rotated.status).toBe(200);
    const { secret: second, previousUntil } = rotated.body;
    expect(Date.parse(previousUntil!) - Date.now()).toBeGreaterThan(86_000_000);
    const during = await deliver("rotated");
    expect(during.headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
    expect([accepts(first, during), accepts(second!, during)]).toEqual([true, true]);
    expect((await hub.json<View>("GET", "/v1/subscriptions/rotated")).body.previousUntil).toBe(previousUntil);

    const third = (await rotate("rotated", { overlap: "0s" })).body;
    expect(third.previousUntil).toBeNull();
    const after = await deliver("rotated");
    expect([first, second!, third.secret!].map((secret) => accepts(secret, after))).toEqual([false, false, true]);
  });

  it("[WHK-10] while deliveries go on refuses none of them to who knows the first secret only", async () => {
    const first = (await put("flowing")).body.target.secret!;
    const batch = Array.from({ length: 50 }, (_, n) => ({ type: "t", data: n }));
    for (let round = 0; round < 4; round += 1) {
      await Promise.all([hub.publish("flowing", batch), rotate("flowing")]);
    }
    await sink.until(({ deliveries }) => deliveries.length === 200, "every delivery");
    expect(sink.deliveries.filter((delivery) => !accepts(first, delivery))).toEqual([]);
    const entries = sink.deliveries.map(({ headers }) => headers["webhook-signature"]!.split(" ").length);
    expect(Math.max(...entries)).toBeGreaterThan(1);
  });

  it("[WHK-10] once more within its overlap leaves each secret the time that it was promised", async () => {
    const first = (await put("twice")).body.target.secret!;
    const promised = (await rotate("twice", { overlap: "1h" })).body;
    const third = (await rotate("twice", { overlap: "1s" })).body;
    expect(third.previousUntil).toBe(promised.previousUntil);
    const after = await eventually(
      () => deliver("twice"),
      (delivery) => !accepts(promised.secret!, delivery),
      "the second secret has ended",
    );
    expect([first, third.secret!].map((secret) => accepts(secret, after))).toEqual([true, true]);
  });

  it("[WHK-10] may be the owner's own, survives PUTs, and is no longer good when its time has come", async () => {
    await put("own");
    const own = `whsec_${Buffer.from("thirty bytes that nobody guesses").toString("base64")}`;
    const rotated = (await rotate("own", { secret: own, overlap: "2s" })).body;
    expect(rotated.secret).toBe(own);
    await put("own", {}, { timeout: "3s" });
    expect((await deliver("own")).headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
    await sink.until(() => Date.now() >= Date.parse(rotated.previousUntil!), "the overlap's end", 3_000).catch(() => 0);
    const after = await deliver("own");
    expect(after.headers["webhook-signature"]).toMatch(/^v1,\S+$/);
    expect(accepts(own, after)).toBe(true);
  });

  it("[WHK-11] is shown once, sealed, audited, and never one of more than five", async () => {
    await put("many");
    const key = { "idempotency-key": "rotate-once" };
    const { secret } = (await rotate("many", {}, key)).body;
    expect(await rotate("many", {}, key)).toMatchObject({ status: 409, body: { code: "idempotency_not_replayable" } });
    for (let count = 3; count <= 5; count += 1) expect((await rotate("many", {})).status).toBe(200);
    expect(await rotate("many", {})).toMatchObject({ status: 409, body: { code: "too_many_secrets" } });
    const audit = await hub.json<{ items: { action: string; subject: string }[] }>("GET", "/v1/audit?limit=1000");
    const rotations = audit.body.items.filter(
      ({ action, subject }) => action === "subscription.secret_rotated" && subject === "many",
    );
    expect(rotations).toHaveLength(4);
    const database = await hub.database();
    const { results } = await database.prepare("SELECT definition FROM subscriptions").all();
    const shown = await hub.json("GET", "/v1/subscriptions/many");
    expect(JSON.stringify([results, audit.body, shown.body, hub.logs])).not.toContain(secret!.slice(6, 30));
  });

  it("[WHK-11] by many at once is told to each, and each is good", async () => {
    const first = (await put("raced")).body.target.secret!;
    const answers = await Promise.all([rotate("raced"), rotate("raced"), rotate("raced")]);
    const secrets = [first, ...answers.map(({ body }) => body.secret!)];
    expect(new Set(secrets).size).toBe(4);
    const delivery = await deliver("raced");
    expect(secrets.map((secret) => accepts(secret, delivery))).toEqual([true, true, true, true]);
  });

  it("[WHK-11] is refused where there is none", async () => {
    await hub.json("PUT", "/v1/subscriptions/inside", {
      topics: ["x"],
      target: { kind: "listener", name: "analytics" },
    });
    expect(await rotate("inside")).toMatchObject({ status: 409, body: { code: "secret_not_held" } });
  });
});

describe("a key pair", () => {
  it("[WHK-12] signs instead of a secret, and its public half is in the definition", async () => {
    const { status, body } = await put("keyed", { signing: "ed25519" });
    expect(status).toBe(201);
    expect(body).toMatchObject({ target: { signing: "ed25519" }, publicKey: expect.stringMatching(/^whpk_.{44}$/) });
    expect(body.target.secret).toBeUndefined();
    const delivery = await deliver("keyed");
    expect(delivery.headers["webhook-signature"]).toMatch(/^v1a,\S+$/);
    expect(acceptsKey(body.publicKey!, delivery)).toBe(true);
    await put("keyed", { signing: "ed25519" }, { timeout: "3s" });
    expect((await hub.json<View>("GET", "/v1/subscriptions/keyed")).body.publicKey).toBe(body.publicKey);

    const rotated = (await rotate("keyed", { overlap: "1h" })).body;
    expect(rotated.secret).toBeUndefined();
    const during = await deliver("keyed");
    expect([acceptsKey(body.publicKey!, during), acceptsKey(rotated.publicKey!, during)]).toEqual([true, true]);
    expect(rotated.publicKey).not.toBe(body.publicKey);
  });

  it("[WHK-12] may sign beside a secret, and the official verifier looks past it", async () => {
    const { body } = await put("both", { signing: "both" });
    const delivery = await deliver("both");
    expect(accepts(body.target.secret!, delivery)).toBe(true);
    expect(acceptsKey(body.publicKey!, delivery)).toBe(true);
  });

  it("[WHK-12] that is given up for a secret shows a fresh one", async () => {
    await put("changed", { signing: "ed25519" });
    const { body } = await put("changed", { signing: "hmac" });
    expect(body.publicKey).toBeUndefined();
    expect(accepts(body.target.secret!, await deliver("changed"))).toBe(true);
  });

  it.each([
    [{ signing: "rsa" }, "/target/signing"],
    [{ signing: "ed25519", secret: `whsec_${"A".repeat(32)}` }, "/target/secret"],
    [{ handshake: "yes" }, "/target/handshake"],
  ])("[WHK-12] %j is refused with a pointer", async (target, pointer) => {
    const { status, body } = await put("never", target);
    expect([status, body.errors?.map((error) => error.pointer)]).toEqual([422, [pointer]]);
  });
});

describe("an endpoint that is asked first", () => {
  let server: Server;
  let asked: IncomingMessage[];
  let answer: (response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      if (request.method === "OPTIONS") {
        asked.push(request);
        answer(response);
      } else {
        asked.push(request);
        response.writeHead(204).end();
      }
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ask = (name: string, headers: Record<string, string>, status = 200): Promise<Answer<View>> => {
    asked = [];
    answer = (response) => {
      response.writeHead(status, headers).end();
    };
    return put(name, { url: url(), handshake: true });
  };

  it.each([
    ["its name", { "webhook-allowed-origin": "127.0.0.1" }, 200],
    ["everybody", { "webhook-allowed-origin": "*" }, 405],
  ])("[WHK-13] and consents to %s is called, and told who calls", async (who, headers, status) => {
    const name = who.replace(" ", "-");
    const { status: answered, body } = await ask(name, headers, status);
    expect([answered, body.target.handshake]).toEqual([201, true]);
    expect(asked.map(({ method, headers: { "webhook-request-origin": origin } }) => [method, origin])).toEqual([
      ["OPTIONS", "127.0.0.1"],
    ]);
    await put(name, { url: url(), handshake: true }, { timeout: "3s" });
    expect(asked).toHaveLength(1); // What it consented to stands.
    await hub.publish(name, { type: "t", data: 1 });
    await expect
      .poll(() => asked.map(({ method, headers: sent }) => [method, sent["webhook-request-origin"]]))
      .toEqual([
        ["OPTIONS", "127.0.0.1"],
        ["POST", "127.0.0.1"],
      ]);
  });

  it.each([
    ["says nothing", {}, 200],
    ["allows somebody else", { "webhook-allowed-origin": "elsewhere.example" }, 200],
    ["sends it elsewhere", { location: "/there" }, 302],
  ])("[WHK-13] and %s is not subscribed, and nothing is stored", async (_what, headers, status) => {
    const refused = await ask("refused", headers, status);
    expect([refused.status, refused.body.code]).toEqual([422, "handshake_refused"]);
    expect((await hub.json("GET", "/v1/subscriptions/refused")).status).toBe(404);
    expect(asked).toHaveLength(1);
  });

  it("[WHK-13] is asked again at another address, and one that refuses there keeps what it had", async () => {
    expect((await ask("moving", { "webhook-allowed-origin": "*" })).status).toBe(201);
    answer = (response) => {
      response.writeHead(200).end();
    };
    expect((await put("moving", { url: `${url()}new`, handshake: true })).body.code).toBe("handshake_refused");
    const { body } = await hub.json<{ target: { url: string } }>("GET", "/v1/subscriptions/moving");
    expect(body.target.url).toBe(url());
  });
});
