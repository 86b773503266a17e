/** Requests as no client writes them. What the runtime answers before the hub hears of it stands here as well. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { sendRaw, type RawOptions } from "../harness/raw.ts";

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await hub.publish("steady", { type: "t", id: "steady-1" });
});
afterAll(() => hub.close());

const HEAD = `Authorization: Bearer ${ROOT_KEY}\r\nHost: hub\r\nContent-Type: application/json\r\n`;
const POST = `POST /v1/topics/steady/events HTTP/1.1\r\n${HEAD}`;
const get = (path: string, head = HEAD, version = "1.1"): string => `GET ${path} HTTP/${version}\r\n${head}\r\n`;
const EVENT = '{"type":"t"}';
const TOO_LARGE = " ".repeat(LIMITS.REQUEST_BYTES_MAX + 1);
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const chunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

const lastOffset = async (): Promise<number> => {
  const { body } = await hub.json<{ partitionStatus: { lastOffset: number }[] }>("GET", "/v1/topics/steady");
  return body.partitionStatus[0]!.lastOffset;
};

type Case = [name: string, request: string | Uint8Array, answer: string, options?: RawOptions];

describe("[INP-1] a body is read within its limit, whatever its headers say of it", () => {
  it.each<Case>([
    ["no length and chunks beyond the limit", `${POST}${CHUNKED}${chunks(TOO_LARGE)}`, "body_too_large"],
    ["a length beyond the limit, and nothing sent", `${POST}Content-Length: 2000000000\r\n\r\n`, "body_too_large"],
    [
      "a small length beside large chunks",
      `${POST}Content-Length: 5\r\n${CHUNKED}${chunks(TOO_LARGE)}`,
      "body_too_large",
    ],
    ["a length smaller than what is sent", `${POST}Content-Length: 5\r\n\r\n${EVENT}`, "json_invalid"],
    ["a length that never comes", `${POST}Content-Length: 100\r\n\r\n${EVENT}`, "body_incomplete", { halfClose: true }],
    ["chunks that break off", `${POST}${CHUNKED}ff\r\n${EVENT}`, "body_incomplete", { halfClose: true }],
    ["chunks without end", `${POST}${CHUNKED}c\r\n${EVENT}\r\n`, "body_incomplete", { halfClose: true }],
    ["a chunk without a size", `${POST}${CHUNKED}zz\r\n${EVENT}`, "body_incomplete"],
    [
      "a chunk of an impossible size",
      `${POST}${CHUNKED}${"f".repeat(16)}\r\n${EVENT}`,
      "body_incomplete",
      { halfClose: true },
    ],
    ["nothing at all", `${POST}\r\n`, "json_invalid"],
  ])("%s", async (_name, request, code, options) => {
    const before = await lastOffset();
    const answer = await sendRaw(hub.url, [request], options);
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.ended).toBe(true);
    expect(await lastOffset()).toBe(before);
  });
});

describe("[INP-2] a request that is not well-formed HTTP", () => {
  it.each<Case>([
    ["two lengths that differ", `${POST}Content-Length: 12\r\nContent-Length: 5\r\n\r\n${EVENT}`, "400"],
    ["a list of lengths", `${POST}Content-Length: 12, 12\r\n\r\n${EVENT}`, "400"],
    ["a negative length", `${POST}Content-Length: -1\r\n\r\n${EVENT}`, "400"],
    ["a length in another notation", `${POST}Content-Length: 1e1\r\n\r\n${EVENT}`, "400"],
    ["a length beyond all numbers", `${POST}Content-Length: 99999999999999999999\r\n\r\n${EVENT}`, "400"],
    ["a transfer encoding that is none", `${POST}Transfer-Encoding: xchunked\r\n\r\n${chunks(EVENT)}`, "400"],
    ["a NUL in its path", get("/v1/topics/a\0b"), "400"],
    ["bytes that are not ASCII in its path", Buffer.from(get("/v1/topics/\xff\xfe"), "latin1"), "400"],
    ["a NUL in a header", get("/v1/topics", `${HEAD}X-A: a\0b\r\n`), "400"],
    ["a folded header", get("/v1/topics", `${HEAD}X-A: a\r\n b\r\n`), "400"],
    ["a space before a colon", get("/v1/topics", `${HEAD}X-A : a\r\n`), "400"],
    ["no host", get("/v1/topics", `Authorization: Bearer ${ROOT_KEY}\r\n`), "400"],
    ["another version of HTTP", get("/v1/topics", HEAD, "2.0"), "400"],
    ["TLS on a plain port", Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), "400", { halfClose: true }],
    // Methods that no HTTP library knows; the runtime says so, and the hub never hears of them.
    ["a method in lower case", get("/v1/topics").replace("GET", "get"), "501"],
    ["a method of its own", get("/v1/topics").replace("GET", "FOO"), "501"],
  ])("with %s is refused by the runtime", async (_name, request, status, options) => {
    const before = await lastOffset();
    const answer = await sendRaw(hub.url, [request], options);
    expect([answer.ended, String(answer.status)]).toEqual([true, status]);
    expect(await lastOffset()).toBe(before);
  });

  it.each<Case>([
    ["a header of 20 KB", get("/v1/topics", `${HEAD}X-A: ${"a".repeat(20_000)}\r\n`), "200"],
    ["500 headers", get("/v1/topics", HEAD + Array.from({ length: 500 }, (_, at) => `X-${at}: a\r\n`).join("")), "200"],
    ["a query of 20 KB", get(`/v1/topics?x=${"a".repeat(20_000)}`), "200"],
    ["a name of 20 KB", get(`/v1/topics/${"a".repeat(20_000)}`), "422"],
    ["an escaped NUL in its path", get("/v1/topics/a%00b"), "422"],
    ["a path that begins with two slashes", get("//elsewhere.com/v1/topics"), "404"],
    ["a path that climbs", get("/v1/topics/../../../etc/passwd"), "404"],
    ["an absolute address", get("http://elsewhere.com/v1/topics"), "200"],
    ["an upgrade to another protocol", get("/v1/topics", `${HEAD}Connection: Upgrade\r\nUpgrade: h2c\r\n`), "200"],
    ["two credentials", get("/v1/topics", `${HEAD}Authorization: Bearer ${ROOT_KEY}\r\n`), "401"],
    ["TRACE", get("/v1/topics").replace("GET", "TRACE"), "405"],
  ])("or only odd: %s is answered", async (_name, request, status, options) => {
    const answer = await sendRaw(hub.url, [request], options);
    expect([answer.ended, String(answer.status)]).toEqual([true, status]);
  });

  it("or old: HTTP/1.0 is answered, and the connection closed", async () => {
    const { text, ended } = await sendRaw(hub.url, [get("/v1/limits", HEAD, "1.0")]);
    expect([ended, /^HTTP\/1\.\d 200/.test(text)]).toEqual([true, true]);
  });

  it("a second request behind a smuggled one is answered as what it is", async () => {
    const smuggled = `DELETE /v1/topics/steady HTTP/1.1\r\n${HEAD}\r\n`;
    await sendRaw(hub.url, [`${POST}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`]);
    expect((await hub.json("GET", "/v1/topics/steady")).status).toBe(200);
  });
});

describe("[INP-3] what stands beside a request does not change whose or what it is", () => {
  it.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])("%s is ignored", async (name) => {
    const answer = await hub.request("/v1/topics/steady", { method: "GET", headers: { [name]: "DELETE" } });
    expect(answer.status).toBe(200);
    expect((await hub.request("/v1/topics/steady?_method=DELETE")).status).toBe(200);
    expect((await hub.json("GET", "/v1/topics/steady")).status).toBe(200);
  });

  it.each([
    ["x-forwarded-for", "127.0.0.1"],
    ["x-forwarded-host", "127.0.0.1"],
    ["x-original-url", "/healthz"],
    ["x-rewrite-url", "/healthz"],
    ["forwarded", "for=127.0.0.1;host=localhost"],
    ["x-real-ip", "127.0.0.1"],
    ["cookie", `token=${ROOT_KEY}; authorization=${ROOT_KEY}`],
    ["x-api-key", ROOT_KEY],
  ])("%s lets nobody in", async (name, value) => {
    const answer = await fetch(`${hub.url}/v1/topics`, { headers: { [name]: value } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, "unauthenticated"]);
  });
});

describe("[INP-4] a parameter that stands twice", () => {
  it.each(["limit=1&limit=2", "limit=1&limit=1", "from=earliest&from=latest", "x&x", "l%69mit=1&limit=2"])(
    "is refused: %s",
    async (query) => {
      const { status, body } = await hub.json("GET", `/v1/topics/steady/events?${query}`);
      expect([status, body["code"]]).toEqual([422, "parameter_invalid"]);
    },
  );
});

describe("[INP-5] data comes back as it was sent, token for token", () => {
  it.each([
    [
      "numbers that no double holds",
      "[1e999,-1e999,9007199254740993,123456789012345678901234567890,-0,1.0,1E+2,0.1e-400]",
    ],
    ["escapes", '["\\u0000","\\/","\\u00e9","\\ud83d\\ude00","\\b\\f\\n\\r\\t"]'],
    [
      "characters that turn, hide or break",
      '["\u202Eabc","\u200F\u200B\uFEFF\u2028\u2029\u0085","e\u0301","\uFFFE\u{10FFFF}"]',
    ],
    ["names of the prototype", '{"__proto__":{"isAdmin":true},"constructor":{"prototype":1},"toString":null}'],
    ["names twice, and empty", '{"a":1,"a":2,"":3,"":4}'],
    [
      "what a page or a shell would run",
      '["<img src=x onerror=alert(1)>","</script>","$(id)","\'; DROP TABLE topics; --"]',
    ],
  ])("%s", async (_name, data) => {
    const published = await hub.publish("exact", `{"type":"t","data":${data}}`);
    expect(published.status).toBe(201);
    const text = await (await hub.request("/v1/topics/exact/events?limit=1000")).text();
    expect(text).toContain(`"data":${data}`);
  });
});

describe("lines of NDJSON", () => {
  const NDJSON = { "content-type": "application/x-ndjson" };

  it("[WIRE-13] that are not UTF-8 are refused alone", async () => {
    const bad = Buffer.from('{"type":"\xff"}\n', "latin1");
    const body = Buffer.concat([Buffer.from('{"type":"a"}\n'), bad, Buffer.from('{"type":"b"}\n')]);
    const answer = await hub.request("/v1/topics/lines/events", { method: "POST", headers: NDJSON, body });
    const lines = (await answer.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { offset: 1 },
      { problem: { code: "encoding_invalid" } },
      { offset: 2 },
    ]);
  });

  it("[PUB-13] whose request breaks off keep what was answered, and the last one says that more may stand", async () => {
    const head = POST.replace("steady", "cut-lines").replace("application/json", "application/x-ndjson");
    const { text } = await sendRaw(hub.url, [`${head}${CHUNKED}d\r\n{"type":"a"}\n\r\n`, "zz\r\n"]);
    expect(text).toContain('"offset":1');
    expect(text).toContain('"code":"hub_overloaded"');
    expect(text).toContain('"effect":"unknown"');
    expect((await hub.read("cut-lines")).events).toHaveLength(1);
  });
});
