/** Requests and frames that were right before chance had its way with them. The same seed makes the same ones. */
import { pick, randomJson } from "../wire/random-json.ts";
import type { Route } from "./route-refusals.ts";

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

type Random = () => number;

/** Few names, so that what is made is found again; none of them is the canary's. */
const NAMES = ["fuzz-0", "fuzz-1", "fuzz-2", "fuzz-3"];
const ODD_NAMES = [
  "",
  ".",
  "..",
  "%00",
  "%2e%2e%2f",
  "a%20b",
  "$fuzz",
  "%ff",
  "é",
  "__proto__",
  "x".repeat(300),
  "*",
  "**",
];
const VALUES = [
  "0",
  "1",
  "-1",
  "1e9",
  "99999999999999999999",
  "x",
  "",
  "null",
  "true",
  "%00",
  "é",
  "x".repeat(3_000),
  "1ms",
  "31s",
];
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  limit: ["1", "1000"],
  from: ["earliest", "latest", "offset:1", "time:2026-01-01T00:00:00Z", "cursor:AAAA", "cursor:AfPml-GfNADlBx"],
  wait: ["1ms", "20ms"],
  partition: ["0", "1"],
  type: ["t", "t,u"],
  key: ["k"],
  filter: ['{"type":["t"]}', '{"data":{"a":[1]}}', "{"],
  cursor: ["fuzz-1", "7", "1/2"],
  state: ["owed", "dead"],
  topic: NAMES,
  order: ["asc", "desc"],
  token: ["x"],
};

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  "content-type": [
    "application/json",
    "application/json; charset=utf-8",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/octet-stream",
    "text/plain",
    "multipart/form-data; boundary=x",
    ";;;",
  ],
  accept: ["application/json", "*/*", "text/html", ""],
  authorization: ["Bearer x", "Bearer a.b.c", "Bearer tdg_aaaaaaaaaaaa_x", "Basic eA==", "bearer", ""],
  "content-encoding": ["gzip", "identity", "br, gzip"],
  "if-match": ['"0"', '"1"', "*", 'W/"1"', '"99999999999999999999"'],
  "idempotency-key": ["k1", "k2", '"k3"', "", "x".repeat(300)],
  "tidings-app": ["default", "nobody", "", "../x"],
  traceparent: ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "x"],
  "last-event-id": ["AAAA", "x"],
  origin: ["https://shop.example", "null", "x"],
  range: ["bytes=0-1"],
  "ce-specversion": ["1.0", "0.3"],
  "ce-id": ["1", "%ff"],
  "ce-source": ["/s", "%"],
  "ce-type": ["t", ""],
  "ce-x": ["%F0%9F%98%80"],
  "x-forwarded-host": ["127.0.0.1"],
};

/** What each route would take; `*` for those that read no body. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  "/events": [
    '{"type":"t","data":{"a":1}}',
    '[{"type":"t","key":"k","data":[1,2,3]},{"type":"u","id":"i","subject":"s"}]',
    '{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AAEC"}',
    '{"type":"t"}\n{"type":"u","data":"x"}\n\n{"type":"t","key":"k"}\n',
  ],
  "/topics/:topic": ['{"partitions":2,"index":"key","retention":{"maxAge":"1h","maxEvents":1000}}', "{}"],
  "/subscriptions/:name": [
    '{"topics":["fuzz-*","fuzz-1"],"target":{"kind":"listener","name":"analytics"},"filter":{"type":["t"]}}',
    '{"topics":["none"],"target":{"kind":"webhook","url":"http://127.0.0.1:9/","headers":{"X-A":"b"}},"timeout":"1s"}',
  ],
  "/dead-letters": ['{"all":true,"dryRun":true}', '{"ids":["a","b"]}', '{"all":true}'],
  "/apps": ['{"name":"fuzz-app","origins":["https://shop.example"],"quotas":{"topics":5}}', '{"origins":null}'],
  "/keys": ['{"name":"n","scopes":["publish:**","manage:a.*"],"expiresAt":"2030-01-01T00:00:00Z"}', '{"overlap":"1h"}'],
  "/tokens": ['{"scopes":["subscribe:**"],"user":{"id":"u","data":{"a":1}},"ttl":"1m"}'],
  "/revocations": ['{"user":"u"}', '{"token":"a.b.c"}'],
  "/users/:id/events": ['{"type":"t","data":{"a":1}}', '{"type":"t"}'],
  "*": ["", "{}"],
};

export function fuzzRequest(random: Random, routes: readonly Route[]): FuzzRequest {
  const route = pick(random, routes);
  const path = route.path.replaceAll(/:\w+/g, () => (random() < 0.85 ? pick(random, NAMES) : pick(random, ODD_NAMES)));
  const headers: Record<string, string> = random() < 0.9 ? { "content-type": "application/json" } : {};
  while (random() < 0.35) {
    const name = pick(random, Object.keys(HEADERS));
    headers[name] = pick(random, HEADERS[name]!);
  }
  const method = random() < 0.95 ? route.method : pick(random, ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
  const body = method === "GET" ? null : mutate(random, pick(random, bodiesOf(route.path)));
  return { method, path: path + fuzzQuery(random), headers, body };
}

function bodiesOf(path: string): readonly string[] {
  const key = Object.keys(BODIES).find((part) => path.endsWith(part) || path.includes(`${part}/`)) ?? "*";
  return BODIES[key]!;
}

function fuzzQuery(random: Random): string {
  const parts: string[] = [];
  while (random() < 0.4) {
    const name = pick(random, Object.keys(QUERIES));
    const value = random() < 0.6 ? encodeURIComponent(pick(random, QUERIES[name]!)) : pick(random, VALUES);
    parts.push(`${name}=${value}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

const MESSAGES = [
  '{"op":"subscribe","ref":1,"topic":"fuzz-0","from":"earliest","filter":{"type":["t"]}}',
  '{"op":"subscribe","ref":"a","topic":"fuzz-1","from":"offset:1"}',
  '{"op":"unsubscribe","ref":2,"topic":"fuzz-0"}',
  '{"op":"publish","ref":3,"topic":"fuzz-2","event":{"type":"t","key":"k","data":{"a":[1,2]}}}',
  '{"op":"ack","topic":"fuzz-0","cursor":"AAAA"}',
  '{"op":"presence","topic":"fuzz-0","data":{}}',
  '{"op":"refresh","ref":4,"token":"a.b.c"}',
  '{"op":"ping"}',
  '[{"op":"unsubscribe","topic":"fuzz-1"},{"op":"publish","topic":"fuzz-3","event":{"type":"t"}}]',
];

/** Text or bytes; both may come over a socket. */
export function fuzzFrame(random: Random): string | Uint8Array<ArrayBuffer> {
  const bytes = mutate(random, pick(random, MESSAGES));
  return random() < 0.05 ? bytes : new TextDecoder().decode(bytes);
}

const LITERALS = [
  "null",
  "true",
  "[]",
  "{}",
  '""',
  "-1",
  "1e999",
  "0.1e-400",
  "9007199254740993",
  '"\\ud800"',
  '"\\u0000"',
];
const ODD = [
  "\u0000",
  "\ud7ff",
  "😀",
  "\u202E",
  "\uFEFF",
  "é",
  "\\",
  '"',
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "\n",
  "__proto__",
];

/** Half of them stay right, so that what is behind the parsers is reached as well. */
function mutate(random: Random, text: string): Uint8Array<ArrayBuffer> {
  if (random() < 0.4) return encode(text);
  const mutated = pick(random, MUTATIONS)(random, text);
  return typeof mutated === "string" ? encode(mutated) : mutated;
}

const encode = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "utf8"));
const somewhere = (random: Random, text: string): number => Math.floor(random() * (text.length + 1));

const MUTATIONS: readonly ((random: Random, text: string) => string | Uint8Array<ArrayBuffer>)[] = [
  /** Bytes are flipped. */
  (random, text) => {
    const bytes = encode(text);
    for (let count = 1 + Math.floor(random() * 4); count > 0 && bytes.length > 0; count -= 1) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    }
    return bytes;
  },
  /** It ends too early, or says a part of itself twice. */
  (random, text) => text.slice(0, somewhere(random, text)),
  (random, text) => text.slice(0, somewhere(random, text)) + text.slice(somewhere(random, text)),
  /** A value becomes one of another type, size or depth. */
  (random, text) => text.replace(pick(random, VALUE_PATTERNS), () => pick(random, LITERALS)),
  (random, text) => text.replace(pick(random, VALUE_PATTERNS), () => randomJson(random, 4, 0.2).text),
  (random, text) => text.replace(pick(random, VALUE_PATTERNS), () => "[".repeat(1 + Math.floor(random() * 200))),
  (random, text) => text.replace(pick(random, VALUE_PATTERNS), () => `"${"x".repeat(Math.floor(random() * 20_000))}"`),
  /** A character comes in where none belongs. */
  (random, text) => {
    const at = somewhere(random, text);
    return text.slice(0, at) + pick(random, ODD) + text.slice(at);
  },
  /** A member more. */
  (random, text) => text.replace("{", () => `{"${pick(random, ["x", "__proto__", "type", "topic", ""])}":1,`),
];

const VALUE_PATTERNS = [/"[^"]*"(?=[,}\]])/, /\d+/, /\{[^{}]*\}/, /\[[^[\]]*\]/, /(?<=:)[^,}]+/];
