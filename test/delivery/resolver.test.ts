import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { judgeTarget } from "../../src/delivery/judge-target.ts";
import { resolveHost } from "../../src/delivery/resolver.ts";

interface Answer {
  readonly status?: number;
  readonly text?: string;
  readonly hangs?: boolean;
}

let server: Server;
let url: string;
let asked: string[] = [];
let answer: (type: string) => Answer;
let hosts = 0;

/** A name that the resolver has not been asked for yet. */
const freshHost = (): string => `host-${(hosts += 1)}.acme.com`;

const records = (list: readonly (readonly [type: number, data: unknown, ttl?: number])[], status = 0): Answer => ({
  text: JSON.stringify({
    Status: status,
    Answer: list.map(([type, data, TTL = 300]) => ({ name: "x", type, TTL, data })),
  }),
});

beforeAll(async () => {
  server = createServer((request, response) => {
    const type = new URL(request.url!, "http://x").searchParams.get("type")!;
    asked.push(`${request.headers.accept} ${type}`);
    const { status = 200, text = "", hangs = false } = answer(type);
    if (!hangs) response.writeHead(status).end(text);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const GOOD: Record<string, Answer> = { A: records([[1, "93.184.216.34"]]), AAAA: records([[28, "2606:4700::1111"]]) };
const NONE = records([]);

describe("[SEC-10] a name", () => {
  it("is public when every address of it is", async () => {
    answer = (type) => GOOD[type]!;
    expect(await resolveHost(url, freshHost())).toBe("public");
    expect(asked.toSorted()).toEqual(["application/dns-json A", "application/dns-json AAAA"]);
  });

  it("is public with addresses of one kind, behind an alias too", async () => {
    answer = (type) =>
      type === "A"
        ? records([
            [5, "edge.acme.net."],
            [1, "1.1.1.1"],
          ])
        : NONE;
    expect(await resolveHost(url, freshHost())).toBe("public");
  });

  it.each<[string, Answer, Answer]>([
    [
      "one address of several",
      records([
        [1, "1.1.1.1"],
        [1, "10.0.0.7"],
      ]),
      NONE,
    ],
    ["only its IPv6 address", GOOD["A"]!, records([[28, "::1"]])],
    ["a mapped address", GOOD["A"]!, records([[28, "::ffff:1.1.1.1"]])],
    ["an address that cannot be read", records([[1, "127.1"]]), NONE],
    ["an address that is no text", records([[1, { a: 1 }]]), NONE],
    ["the half that was answered", records([[1, "127.0.0.1"]]), { status: 500 }],
    [
      "what its alias stands for",
      records([
        [5, "inside."],
        [1, "169.254.169.254"],
      ]),
      NONE,
    ],
  ])("is private when %s is", async (_what, ipv4, ipv6) => {
    answer = (type) => (type === "A" ? ipv4 : ipv6);
    expect(await resolveHost(url, freshHost())).toBe("private");
  });

  it.each<[string, Answer, Answer]>([
    ["there is no such name", records([], 3), records([], 3)],
    ["it has no address", NONE, NONE],
    ["half of it was not answered", GOOD["A"]!, { status: 500 }],
    ["the resolver failed", records([], 2), records([], 2)],
    ["the answer is no JSON", { text: "<html>" }, { text: "<html>" }],
    ["the answer is another JSON", { text: "null" }, { text: '{"Answer":7,"Status":0}' }],
    ["the resolver moved", { status: 302 }, { status: 302 }],
  ])("is unknown when %s", async (_what, ipv4, ipv6) => {
    answer = (type) => (type === "A" ? ipv4 : ipv6);
    expect(await resolveHost(url, freshHost())).toBe("unknown");
  });

  it("is unknown when nobody answers in time", async () => {
    answer = () => ({ hangs: true });
    const startedAt = performance.now();
    expect(await resolveHost(url, freshHost())).toBe("unknown");
    expect(performance.now() - startedAt).toBeLessThan(LIMITS.RESOLVE_MS_MAX + 2_000);
    expect(await resolveHost("http://127.0.0.1:1/", freshHost())).toBe("unknown");
  });

  it("is asked for once while its records hold, and again when they do not", async () => {
    answer = (type) => GOOD[type]!;
    const [host, restless] = [freshHost(), freshHost()];
    await resolveHost(url, host);
    await resolveHost(url, host);
    expect(asked).toHaveLength(2);
    answer = (type) => (type === "A" ? records([[1, "1.1.1.1", 0]]) : NONE);
    expect(await resolveHost(url, restless)).toBe("public");
    answer = (type) => (type === "A" ? records([[1, "127.0.0.1", 0]]) : NONE);
    expect(await resolveHost(url, restless)).toBe("private");
  });
});

describe("[SEC-10] an address", () => {
  it("is judged by its name where a resolver is set, and by its spelling alone where none is", async () => {
    answer = () => records([[1, "127.0.0.1"]]);
    const address = `https://${freshHost()}/`;
    const settings = { allowPrivateTargets: false, resolverUrl: url };
    expect(await judgeTarget(address, settings, null)).toMatchObject({
      kind: "refused",
      failure: { code: "target_address_refused" },
    });
    expect(JSON.stringify(await judgeTarget(address, settings, null))).not.toContain("127.0.0.1");
    expect(await judgeTarget(address, { ...settings, resolverUrl: null }, null)).toMatchObject({ kind: "allowed" });
    expect(await judgeTarget(address, { ...settings, allowPrivateTargets: true }, null)).toMatchObject({
      kind: "allowed",
    });
  });

  it("[SEC-12] of the hub itself is refused", async () => {
    const settings = { allowPrivateTargets: false, resolverUrl: null };
    expect(await judgeTarget("https://HUB.acme.com/v1/topics", settings, "hub.acme.com")).toMatchObject({
      kind: "refused",
    });
    expect(await judgeTarget("https://hub.acme.com/", settings, "other.acme.com")).toMatchObject({ kind: "allowed" });
  });
});
