/** A hub that may not reach private addresses, and listeners on such addresses that must never hear from it. */
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIVATE_HOSTS } from "../builders/private-addresses.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

const CLOSED = { ALLOW_PRIVATE_TARGETS: "0" };

const target = (url: string): object => ({
  topics: ["orders"],
  target: { kind: "webhook", url },
  retry: { maxAttempts: 1 },
});

/** Counts connections, and answers none. */
class Trap {
  readonly port: number;
  connections = 0;
  readonly #server: Server;

  static async open(host: string, port = 0): Promise<Trap> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return new Trap(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      this.connections += 1;
      socket.destroy();
    });
  }

  close(): void {
    this.#server.close();
  }
}

async function deathOf(hub: Hub, name: string): Promise<unknown> {
  interface Letters {
    readonly items: readonly { readonly attempts: readonly { readonly error: string }[] }[];
  }
  const { body } = await eventually(
    () => hub.json<Letters>("GET", `/v1/subscriptions/${name}/dead-letters`),
    (answer) => answer.body.items.length > 0,
    `a dead letter of ${name}`,
  );
  return body.items[0]!.attempts.map(({ error }) => error);
}

describe("[SEC-11] a private address", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidings-ssrf-"));
  const traps: Trap[] = [];
  const connections = (): number => traps.reduce((sum, trap) => sum + trap.connections, 0);

  beforeAll(async () => {
    // 8443 is a port that targets may have; where something else listens on it, the others must do.
    traps.push(await Trap.open("127.0.0.1"), await Trap.open("::1"));
    await Trap.open("127.0.0.1", 8_443)
      .then((trap) => traps.push(trap))
      .catch(() => undefined);
  });
  afterAll(() => {
    for (const trap of traps) trap.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is refused at create by each of its spellings, and nothing of it is kept", async () => {
    expect(PRIVATE_HOSTS.length).toBeGreaterThan(100);
    const hub = await startHub({ vars: CLOSED });
    try {
      await Promise.all(
        PRIVATE_HOSTS.map(async (host, index) => {
          const url = `https://${host}${index % 2 === 0 ? "" : ":8443"}/hook`;
          const answer = await hub.json("PUT", `/v1/subscriptions/trap-${index}`, target(url));
          expect([url, answer.status, answer.body["code"]]).toEqual([url, 422, "target_address_refused"]);
        }),
      );
      expect((await hub.json("GET", "/v1/subscriptions")).body).toEqual({ items: [], cursor: null });
      expect(connections()).toBe(0);
    } finally {
      await hub.close();
    }
  });

  it("is refused at the attempt, however it came into a definition", async () => {
    const [ipv4, ipv6] = traps as [Trap, Trap];
    const urls = [
      ...["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f000001", "0.0.0.0", "[::ffff:127.0.0.1]"].map(
        (host) => `http://${host}:${ipv4.port}/`,
      ),
      ...["[::1]", "localhost", "[::]"].map((host) => `http://${host}:${ipv6.port}/`),
      ...["127.0.0.1", "localhost", "[::1]"].map((host) => `https://${host}:8443/`),
    ];
    const open = await startHub({ persistTo: folder });
    for (const [index, url] of urls.entries())
      expect((await open.json("PUT", `/v1/subscriptions/trap-${index}`, target(url))).status).toBe(201);
    await open.close();

    const hub = await startHub({ persistTo: folder, vars: CLOSED });
    try {
      await hub.publish("orders", { type: "t" });
      for (const index of urls.keys()) expect(await deathOf(hub, `trap-${index}`)).toEqual(["address_refused"]);
      expect(connections()).toBe(0);
    } finally {
      await hub.close();
    }
  });

  it("would have been reached otherwise", async () => {
    const hub = await startHub();
    try {
      await hub.json("PUT", "/v1/subscriptions/control", target(`http://127.0.0.1:${traps[0]!.port}/`));
      await hub.publish("orders", { type: "t" });
      expect(await deathOf(hub, "control")).toEqual(["connection"]);
      expect(connections()).toBeGreaterThan(0);
    } finally {
      await hub.close();
    }
  });
});

describe("[SEC-10, SEC-11] over the internet", () => {
  /** What each name stands for just now, and every address that the hub has called but the resolver's. */
  const addresses = new Map<string, string>();
  const called: string[] = [];
  let hub: Hub;
  let answerOf: (url: URL) => Response;

  beforeAll(async () => {
    hub = await startHub({
      vars: { ...CLOSED, DNS_OVER_HTTPS_URL: "https://resolver.acme.com/dns-query" },
      outbound: ({ url: text }) => {
        const url = new URL(text);
        if (url.hostname === "resolver.acme.com") return resolve(url.searchParams);
        called.push(text);
        return answerOf(url);
      },
    });
  });
  afterAll(() => hub.close());

  function resolve(query: URLSearchParams): Response {
    const data = addresses.get(query.get("name")!);
    const isKnown = data !== undefined && query.get("type") === "A";
    return Response.json({ Status: data === undefined ? 3 : 0, Answer: isKnown ? [{ type: 1, TTL: 0, data }] : [] });
  }

  it.each([301, 302, 303, 307, 308])("a target that answers %i is not followed inside", async (status) => {
    const name = `moving-${status}`;
    addresses.set("moving.acme.com", "93.184.216.34");
    answerOf = () => new Response(null, { status, headers: { location: "http://127.0.0.1:8787/healthz" } });
    const topics = [`moves-${status}`];
    await hub.json("PUT", `/v1/subscriptions/${name}`, { ...target("https://moving.acme.com/"), topics });
    await hub.publish(topics[0]!, { type: "t" });
    expect(await deathOf(hub, name)).toEqual(["redirect"]);
    expect(new Set(called)).toEqual(new Set(["https://moving.acme.com/"]));
  });

  it("a name is called while it is public, and not once it stands for loopback", async () => {
    answerOf = () => new Response(null, { status: 204 });
    addresses.set("rebinding.acme.com", "93.184.216.34");
    const definition = { ...target("https://rebinding.acme.com/"), topics: ["rebinds"] };
    expect((await hub.json("PUT", "/v1/subscriptions/rebinding", definition)).status).toBe(201);
    await hub.publish("rebinds", { type: "t" });
    await eventually(
      () => called.filter((url) => url.includes("rebinding")).length,
      (count) => count === 1,
      "a delivery while it is public",
    );
    addresses.set("rebinding.acme.com", "127.0.0.1");
    await hub.publish("rebinds", { type: "t" });
    expect(await deathOf(hub, "rebinding")).toEqual(["address_refused"]);
    expect(called.filter((url) => url.includes("rebinding"))).toHaveLength(1);

    const again = await hub.json("PUT", "/v1/subscriptions/rebinding", { ...definition, timeout: "1s" });
    expect([again.status, again.body["code"]]).toEqual([422, "target_address_refused"]);
    expect(JSON.stringify(again.body)).not.toContain("127.0.0.1");
  });

  it("a name that stands for a private address is refused at create, one that nobody knows is tried later", async () => {
    addresses.set("inside.acme.com", "10.0.0.1");
    const inside = await hub.json("PUT", "/v1/subscriptions/inside", target("https://inside.acme.com/"));
    expect([inside.status, inside.body["code"]]).toEqual([422, "target_address_refused"]);
    const unknown = { ...target("https://unknown.acme.com/"), topics: ["unknowns"] };
    expect((await hub.json("PUT", "/v1/subscriptions/unknown", unknown)).status).toBe(201);
    await hub.publish("unknowns", { type: "t" });
    expect(await deathOf(hub, "unknown")).toEqual(["name_unresolved"]);
    expect(called.some((url) => url.includes("unknown"))).toBe(false);
  });
});

describe("a hub that stands on the internet", () => {
  it("[SEC-12] is no target of its own", async () => {
    const hub = await startHub({ vars: { ...CLOSED, DNS_OVER_HTTPS_URL: "" } });
    try {
      const put = (url: string) => rawPut(hub, target(url), { host: "hub.acme.com" });
      expect(await put("https://HUB.acme.com/v1/topics/orders/events")).toMatchObject({
        code: "target_address_refused",
      });
      expect(await put("https://other.acme.com/")).toMatchObject({ name: "own" });
    } finally {
      await hub.close();
    }
  });

  it("[SEC-13] refuses everything while it has a setting for local runs, and says which", async () => {
    const deployed = { headers: { "cf-ray": "8a1b2c3d4e5f6789-FRA", authorization: `Bearer ${ROOT_KEY}` } };
    const [open, closed] = await Promise.all([startHub(), startHub({ vars: CLOSED })]);
    try {
      for (const path of ["/v1/topics", "/v1/limits", "/v1/connect", "/v1/nowhere"]) {
        const answer = await fetch(`${open.url}${path}`, deployed);
        const { code, detail } = (await answer.json()) as { readonly code: string; readonly detail: string };
        expect([answer.status, code]).toEqual([503, "not_configured"]);
        expect(detail).toContain("ALLOW_PRIVATE_TARGETS");
      }
      expect((await fetch(`${open.url}/healthz`, deployed)).status).toBe(200);
      expect((await open.request("/v1/topics")).status).toBe(200);
      expect((await fetch(`${closed.url}/v1/topics`, deployed)).status).toBe(200);
    } finally {
      await Promise.all([open.close(), closed.close()]);
    }
  });
});

/** `fetch` writes the Host header itself. */
function rawPut(hub: Hub, body: object, headers: Record<string, string>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${hub.url}/v1/subscriptions/own`, {
      method: "PUT",
      headers: { authorization: `Bearer ${ROOT_KEY}`, "content-type": "application/json", ...headers },
    });
    asked.on("response", async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve(JSON.parse(text));
    });
    asked.on("error", reject).end(JSON.stringify(body));
  });
}
