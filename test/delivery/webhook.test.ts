import { createServer, type Server, type ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { webhookHeaderContext, webhookSecretContext } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { attemptDelivery } from "../../src/delivery/attempt.ts";
import { USER_AGENT } from "../../src/delivery/webhook.ts";
import type { ClaimedDelivery } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { sealSecret } from "../../src/sealing.ts";
import { Sink } from "../harness/sink.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const LOCAL = { ALLOW_PRIVATE_TARGETS: "1" } as Env;
const LINE = JSON.stringify({
  specversion: "1.0",
  id: "e1",
  source: "/shop",
  type: "order.created",
  data: { note: "schöne Grüße 😀" },
});

let sink: Sink;
beforeAll(async () => {
  sink = await Sink.open();
});
afterAll(() => sink.close());
afterEach(() => {
  sink.respond(() => 204);
  sink.deliveries.length = 0;
});

interface Options {
  readonly env?: Env;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly delivery?: Partial<ClaimedDelivery>;
  readonly line?: string;
  readonly timeoutMs?: number;
}

const attempt = ({
  env = LOCAL,
  url = `${sink.url}/hook`,
  headers = {},
  secret = SECRET,
  delivery = {},
  line = LINE,
  timeoutMs = 5_000,
}: Options = {}): Promise<AttemptOutcome> =>
  attemptDelivery(env, {
    definition: {
      id: "sub",
      app: "app",
      name: "shop",
      revision: 1,
      topics: ["**"],
      filter: null,
      start: { kind: "earliest" },
      target: { kind: "webhook", url, headers, secret },
      retry: { maxAttempts: 3, delaysMs: [], retryOn4xx: false },
      maxInFlight: 10,
      timeoutMs,
    },
    delivery: {
      id: "msg_sub_1_7",
      source: 1,
      topic: "t",
      partition: 0,
      epoch: 1,
      offset: 7,
      attempt: 1,
      redrive: false,
      line: null,
      ...delivery,
    },
    line,
  });

describe("a webhook's request", () => {
  it("[WHK-1] carries the event as it stands in the log, and the official verifier accepts it", async () => {
    expect(await attempt()).toEqual({ kind: "accepted", status: 204 });
    const { headers, body, path } = sink.deliveries[0]!;
    expect(path).toBe("/hook");
    expect(body).toBe(LINE);
    expect(new Webhook(SECRET).verify(body, headers)).toEqual(JSON.parse(LINE));
    expect(headers).toMatchObject({
      "webhook-id": "msg_sub_1_7",
      "content-type": "application/cloudevents+json; charset=utf-8",
      "user-agent": USER_AGENT,
    });
  });

  it("[WHK-3] names the version that is in package.json", () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")) as {
      version: string;
    };
    expect(USER_AGENT).toBe(`Tidings/${version}`);
  });

  it("[WHK-3] passes the event's traceparent on, and only one that has the form of one", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await attempt({ line: JSON.stringify({ id: "e1", traceparent }) });
    await attempt({ line: JSON.stringify({ id: "e1", traceparent: "x\r\ny: z" }) });
    await attempt({ line: JSON.stringify({ id: "e1", data: { traceparent } }) });
    expect(sink.deliveries.map(({ headers }) => headers["traceparent"])).toEqual([traceparent, undefined, undefined]);
  });

  it("[WHK-3] carries the owner's headers, which cannot forge the hub's", async () => {
    const headers = {
      "x-shop": "berlin",
      "Webhook-Id": "forged",
      "webhook-signature": "v1,forged",
      "webhook-redrive": "true",
      "content-type": "text/plain",
    };
    await attempt({ headers });
    const received = sink.deliveries[0]!;
    expect(received.headers["x-shop"]).toBe("berlin");
    expect(received.id).toBe("msg_sub_1_7");
    expect(received.headers["webhook-redrive"]).toBeUndefined();
    expect(() => new Webhook(SECRET).verify(received.body, received.headers)).not.toThrow();
  });

  it("[WHK-3] says so when it is redriven", async () => {
    await attempt({ delivery: { redrive: true } });
    expect(sink.deliveries[0]!.headers["webhook-redrive"]).toBe("true");
  });
});

describe("a webhook's answer", () => {
  it.each([200, 201, 202, 204, 299])("[WHK-4] %i accepts", async (status) => {
    sink.respond(() => ({ status, body: status === 204 ? "" : "fine" }));
    expect(await attempt()).toEqual({ kind: "accepted", status });
  });

  it.each([301, 302, 303, 307, 308])("[WHK-4] %i is not followed", async (status) => {
    sink.respond(({ path }) => (path === "/hook" ? { status, headers: { location: `${sink.url}/elsewhere` } } : 204));
    expect(await attempt()).toEqual({
      kind: "unreachable",
      reason: "redirect",
      excerpt: `${status} to ${sink.url}/elsewhere`,
    });
    expect(sink.deliveries).toHaveLength(1);
  });

  it("[DLV-5] 410 asks never to be called again", async () => {
    sink.respond(() => ({ status: 410, body: "gone" }));
    expect(await attempt()).toEqual({ kind: "gone" });
  });

  it.each([429, 503])("[DLV-4] %i is asked how long to wait", async (status) => {
    sink.respond(() => ({ status, headers: { "retry-after": "7" }, body: "busy" }));
    expect(await attempt()).toEqual({ kind: "refused", status, retryAfterMs: 7_000, excerpt: "busy" });
  });

  it("[DLV-4] others are not", async () => {
    sink.respond(() => ({ status: 500, headers: { "retry-after": "7" } }));
    expect(await attempt()).toEqual({ kind: "refused", status: 500, retryAfterMs: null, excerpt: "" });
  });

  it("[WHK-5] is kept by its beginning, cut between characters", async () => {
    sink.respond(() => ({ status: 500, body: `x${"é".repeat(LIMITS.RESPONSE_KEPT_BYTES_MAX)}` }));
    const outcome = await attempt();
    expect(outcome).toMatchObject({
      kind: "refused",
      excerpt: `x${"é".repeat(LIMITS.RESPONSE_KEPT_BYTES_MAX / 2 - 1)}`,
    });
  });

  it("[WHK-4] that does not come in time is a timeout", async () => {
    sink.respond(() => ({ delayMs: 500 }));
    expect(await attempt({ timeoutMs: 50 })).toEqual({ kind: "unreachable", reason: "timeout", excerpt: "" });
    await sink.until(({ deliveries }) => deliveries.length === 1, "the late answer, so that no other test meets it");
  });

  it("[WHK-4] that breaks off is a failed connection", async () => {
    sink.respond(() => ({ reset: true }));
    expect(await attempt()).toMatchObject({ kind: "unreachable", reason: "connection" });
  });

  it("[WHK-4] from nobody at all is a failed connection", async () => {
    expect(await attempt({ url: "http://127.0.0.1:1/" })).toMatchObject({ kind: "unreachable", reason: "connection" });
  });
});

describe("a webhook that never ends its answer", () => {
  let server: Server;
  let closedAfterBytes: Promise<number>;
  let answer: (response: ServerResponse) => void;

  beforeAll(async () => {
    let closed: (bytes: number) => void;
    closedAfterBytes = new Promise((resolve) => {
      closed = resolve;
    });
    server = createServer((request, response) => {
      request.resume();
      response.on("close", () => closed(request.socket.bytesWritten));
      answer(response);
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

  it("[WHK-5] is read so far and no further", async () => {
    answer = (response) => {
      response.writeHead(500);
      const flood = (): void => {
        while (!response.destroyed && response.write("x".repeat(8_192)));
      };
      response.on("drain", flood);
      flood();
    };
    expect(await attempt({ url: url() })).toMatchObject({
      kind: "refused",
      status: 500,
      excerpt: "x".repeat(LIMITS.RESPONSE_KEPT_BYTES_MAX),
    });
    expect(await closedAfterBytes).toBeGreaterThan(LIMITS.RESPONSE_READ_BYTES_MAX);
  });

  it("[WHK-5] but drips holds the connection no longer than the timeout", async () => {
    answer = (response) => {
      response.writeHead(500).write("slow");
    };
    const startedAt = performance.now();
    // Long enough for its head on a busy machine, or it would be a timeout of another kind.
    expect(await attempt({ url: url(), timeoutMs: 2_000 })).toMatchObject({ kind: "refused", status: 500 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("a target's secrets", () => {
  const ENV: Env = { ...LOCAL, SECRETS_KEY: "new", ROOT_KEY: "root" };

  it("[SEC-8] are opened for the attempt, whichever key of the environment sealed them", async () => {
    const secret = await sealSecret(["root"], webhookSecretContext("sub"), SECRET);
    const value = await sealSecret(["new"], webhookHeaderContext("sub", "X-Shop"), "berlin");
    expect(await attempt({ env: ENV, secret, headers: { "X-Shop": value } })).toMatchObject({ kind: "accepted" });
    const { headers, body } = sink.deliveries[0]!;
    expect(headers["x-shop"]).toBe("berlin");
    expect(() => new Webhook(SECRET).verify(body, headers)).not.toThrow();
  });

  it("[SEC-9] that no key opens fail the attempt, and nothing is sent", async () => {
    const lost = await sealSecret(["lost"], webhookSecretContext("sub"), SECRET);
    const moved = await sealSecret(["new"], webhookHeaderContext("another", "X-Shop"), "berlin");
    for (const options of [{ secret: lost }, { headers: { "X-Shop": moved } }])
      expect(await attempt({ env: ENV, ...options })).toMatchObject({
        kind: "unreachable",
        reason: "secret_unreadable",
      });
    expect(sink.deliveries).toEqual([]);
  });
});

describe("a target's address", () => {
  it("[SEC-3] is checked before every attempt, whatever was allowed when it was stored", async () => {
    expect(await attempt({ env: {} as Env })).toMatchObject({ kind: "unreachable", reason: "address_refused" });
    expect(await attempt({ env: { ALLOW_PRIVATE_TARGETS: "0" } as Env })).toMatchObject({ reason: "address_refused" });
    expect(sink.deliveries).toEqual([]);
  });
});
