/** Bad requests: what goes in at a door, and the code that must come out. */
import { ERRORS, type ErrorCode } from "../../src/core/errors.ts";

/** Stands in bad values: an answer that shows it echoes what may be a secret. */
export const MARK = "xyzzy-4711";

export interface BadRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly code: ErrorCode;
  readonly status: number;
}

const JSON_TYPE = { "content-type": "application/json" };
const CE_TYPE = { "content-type": "application/cloudevents+json" };

/** `at`: "METHOD path". */
export const bad = (
  name: string,
  at: string,
  code: ErrorCode,
  headers: Record<string, string> = {},
  body?: BadRequest["body"],
): BadRequest => {
  const [method, path] = at.split(" ") as [string, string];
  return { name, method, path, headers, body, code, status: ERRORS[code].status };
};

const eventsOf = (topic: string): string => `POST /v1/topics/${topic}/events`;
const EVENTS = eventsOf("steady");
const EVENT = JSON.stringify({ type: "t" });

const publish = (
  name: string,
  body: BadRequest["body"],
  code: ErrorCode,
  headers: Record<string, string> = JSON_TYPE,
  at = EVENTS,
): BadRequest => bad(name, at, code, headers, body);

const draft = (name: string, more: object, code: ErrorCode = "event_invalid"): BadRequest =>
  publish(`a draft with ${name}`, JSON.stringify({ type: "t", ...more }), code);

const cloudEvent = (name: string, more: object): BadRequest =>
  publish(
    `a CloudEvent ${name}`,
    JSON.stringify({
      specversion: "1.0",
      id: "1",
      source: "/s",
      type: "t",
      ...more,
    }),
    "event_invalid",
    CE_TYPE,
  );

export const BAD_CREDENTIALS: readonly BadRequest[] = [
  publish("no credential", EVENT, "unauthenticated", { ...JSON_TYPE, authorization: "" }),
  publish("a wrong key", EVENT, "unauthenticated", { ...JSON_TYPE, authorization: `Bearer ${MARK}` }),
  publish("another scheme", EVENT, "unauthenticated", { ...JSON_TYPE, authorization: "Basic dGVzdC1yb290LWtleQ==" }),
  publish("a key in the address", EVENT, "credentials_in_url", JSON_TYPE, `${EVENTS}?token=${MARK}`),
  publish("an access_token in the address", EVENT, "credentials_in_url", JSON_TYPE, `${EVENTS}?access_token=${MARK}`),
  publish("an app that is not there", EVENT, "app_not_found", { ...JSON_TYPE, "tidings-app": MARK }),
];

export const BAD_BODIES: readonly BadRequest[] = [
  publish("an empty body", "", "json_invalid"),
  publish("truncated JSON", `{"type":"${MARK}`, "json_invalid"),
  publish("a trailing comma", '{"type":"t",}', "json_invalid"),
  publish("NaN", '{"type":"t","data":NaN}', "json_invalid"),
  publish("single quotes", "{'type':'t'}", "json_invalid"),
  publish("a byte order mark", `\ufeff${EVENT}`, "json_invalid"),
  publish("two documents", `${EVENT}${EVENT}`, "json_invalid"),
  publish("a raw control character in a string", '{"type":"t","data":"\u0001"}', "json_invalid"),
  publish("a lone surrogate, escaped", '{"type":"t","data":"\\ud800"}', "encoding_invalid"),
  publish("a lone surrogate in an id", '{"type":"t","id":"\\udfff"}', "encoding_invalid"),
  publish("bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "encoding_invalid"),
  publish("overlong UTF-8", new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), "encoding_invalid"),
  publish("a surrogate in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "encoding_invalid"),
  publish("a depth of 65", `{"type":"t","data":${"[".repeat(64)}${"]".repeat(64)}}`, "json_too_deep"),
  publish("a depth of 200,000", "[".repeat(200_000), "json_too_deep"),
  publish("10,001 members", JSON.stringify({ type: "t", data: members(10_001) }), "json_too_many_keys"),
  publish("an event over its limit", JSON.stringify({ type: "t", data: "x".repeat(262_145) }), "event_too_large"),
  publish("a body over its limit", " ".repeat(1_048_577), "body_too_large"),
  publish("501 drafts", JSON.stringify(Array.from({ length: 501 }, () => ({ type: "t" }))), "body_too_large"),
  publish("an empty list", "[]", "event_invalid"),
  publish("a list of numbers", "[1]", "event_invalid"),
  publish("a string", `"${MARK}"`, "event_invalid"),
  publish("events that are no list", '{"events":{}}', "event_invalid"),
  publish("something beside events", '{"events":[],"more":1}', "event_invalid"),
  publish("plain text", EVENT, "content_type_unsupported", { "content-type": "text/plain" }),
  publish("no content type", new Uint8Array(new TextEncoder().encode(EVENT)), "content_type_unsupported", {}),
  publish("XML", "<event/>", "content_type_unsupported", { "content-type": "application/xml" }),
  publish("CloudEvents in Avro", EVENT, "content_type_unsupported", { "content-type": "application/cloudevents+avro" }),
  publish("a CloudEvent in Latin-1", EVENT, "content_type_unsupported", {
    "content-type": "application/cloudevents+json; charset=iso-8859-1",
  }),
  publish("a compressed body", EVENT, "content_type_unsupported", { ...JSON_TYPE, "content-encoding": "gzip" }),
];

export const BAD_EVENTS: readonly BadRequest[] = [
  publish("a draft without type", "{}", "event_invalid"),
  draft("an empty type", { type: "" }),
  draft("a type of 256 characters", { type: "t".repeat(256) }),
  draft("a number for a type", { type: 7 }),
  draft("a control character in its type", { type: "a\u0007b" }),
  draft("a member that is not known", { unheardOf: MARK }),
  publish("a draft with __proto__", '{"type":"t","__proto__":{"a":1}}', "event_invalid"),
  publish("a draft with a member twice", '{"type":"t","id":"a","id":"b"}', "event_invalid"),
  draft("an id of 257 bytes", { id: "é".repeat(128) + "x" }),
  draft("an empty id", { id: "" }),
  draft("a key of 257 bytes", { key: "k".repeat(257) }),
  draft("a time that is none", { time: `2026-02-30T00:00:00Z` }),
  draft("a source with a space", { source: "a b" }),
  draft("a relative dataschema", { dataschema: "schema.json" }),
  draft("data twice", { data: 1, data_base64: "AA==" }),
  draft("base64 that is none", { data_base64: MARK }),
  draft("a deliverAt that is no time", { deliverAt: MARK }),
  draft("a deliverAt in more than a year", { deliverAt: "2999-01-01T00:00:00Z" }),
  draft("an expected version and a deliverAt", { key: "k", expectedKeyVersion: 0, deliverAt: "2026-12-01T00:00:00Z" }),
  draft("a ttl that is no duration", { ttl: MARK }),
  draft("a ttl of nothing", { ttl: "0s" }),
  draft("an expected version and no key", { expectedKeyVersion: 0 }),
  draft("an expected version below 0", { key: "k", expectedKeyVersion: -1 }),
  draft("an expected version where none are kept", { key: "k", expectedKeyVersion: 0 }, "index_required"),
  draft("an id that is here with other content", { id: "steady-1", data: MARK }, "event_id_conflict"),
  cloudEvent("of another version", { specversion: "0.3" }),
  cloudEvent("without id", { id: undefined }),
  cloudEvent("with an object for an extension", { extension: {} }),
  cloudEvent("with an upper-case attribute", { myAttribute: "x" }),
  publish("a binary CloudEvent without id", EVENT, "event_invalid", {
    ...JSON_TYPE,
    "ce-specversion": "1.0",
    "ce-source": "/s",
    "ce-type": "t",
  }),
  publish("a binary CloudEvent with broken percent-encoding", EVENT, "encoding_invalid", {
    ...JSON_TYPE,
    "ce-specversion": "1.0",
    "ce-id": "%ff",
    "ce-source": "/s",
    "ce-type": "t",
  }),
];

const withHeader = (name: string, value: string, code: ErrorCode, at = EVENTS): BadRequest =>
  publish(`${name}: ${value.slice(0, 12)}`, EVENT, code, { ...JSON_TYPE, [name]: value }, at);

export const BAD_CONDITIONS: readonly BadRequest[] = [
  withHeader("if-match", "1", "parameter_invalid"),
  withHeader("if-match", '"x"', "parameter_invalid"),
  withHeader("if-match", '"-1"', "parameter_invalid"),
  withHeader("if-match", "*", "parameter_invalid"),
  withHeader("if-match", '"0"', "version_conflict"),
  withHeader("if-match", '"0"', "partition_required", eventsOf("steady-wide")),
  withHeader("idempotency-key", "", "idempotency_key_invalid"),
  withHeader("idempotency-key", '""', "idempotency_key_invalid"),
  withHeader("idempotency-key", "k".repeat(256), "idempotency_key_invalid"),
  withHeader("idempotency-key", "clé", "idempotency_key_invalid"),
  publish("an Idempotency-Key on lines", EVENT, "idempotency_key_invalid", {
    "content-type": "application/x-ndjson",
    "idempotency-key": "k",
  }),
  ...["9", "-1", "x", "1.0", ""].map((partition) =>
    publish(`the partition "${partition}"`, EVENT, "parameter_invalid", JSON_TYPE, `${EVENTS}?partition=${partition}`),
  ),
  ...["a%20b", ".a", "a".repeat(201), "%00", "a%2Fb", "%C3%A9", "%zz", "-", "__proto__"].map((topic) =>
    publish(`the topic ${topic.slice(0, 12)}`, EVENT, "topic_name_invalid", JSON_TYPE, eventsOf(topic)),
  ),
  publish("a topic of the hub's own", EVENT, "topic_reserved", JSON_TYPE, eventsOf("$deliveries")),
];

const STREAM = { accept: "text/event-stream" };

const read = (query: string, code: ErrorCode, topic = "steady"): BadRequest =>
  bad(`${topic}?${query.slice(0, 60)}`, `GET /v1/topics/${topic}/events?${query}`, code);

export const BAD_READS: readonly BadRequest[] = [
  ...["0", "-1", "1001", "1e3", "10abc", "", "9".repeat(30)].map((limit) =>
    read(`limit=${limit}`, "parameter_invalid"),
  ),
  ...[
    MARK,
    "offset:0",
    "offset:-1",
    "offset:9007199254740993",
    "offset:1.5",
    "time:yesterday",
    "time:2026-13-01T00:00:00Z",
    "",
  ].map((from) => read(`from=${encodeURIComponent(from)}`, "parameter_invalid")),
  ...["!!!", "", "AAAA", "a".repeat(5_000), "AfPml-GfNADlBx"].map((cursor) =>
    read(`from=cursor:${cursor}`, "cursor_invalid"),
  ),
  ...["31s", "5", "-1s", "1h", ""].map((wait) => read(`wait=${wait}`, "parameter_invalid")),
  read("partition=7", "parameter_invalid"),
  read("from=offset:1", "partition_required", "steady-wide"),
  read("key=k", "index_required"),
  read("filter=%7Bnot", "json_invalid"),
  ...[
    "[]",
    '"x"',
    '{"type":"t"}',
    '{"data":{"n":[{"numeric":[">","1"]}]}}',
    '{"$or":[{"type":["t"]}]}',
    '{"type":[]}',
    "{}",
    '{"__proto__":{"a":[1]}}',
    `{"a":${'{"a":'.repeat(9)}[1]${"}".repeat(9)}}`,
    `{"type":[${"1,".repeat(300)}1]}`,
  ].map((filter) => read(`filter=${encodeURIComponent(filter)}`, "filter_invalid")),
  read(`filter=${encodeURIComponent('{"type":["t"]}')}&type=t`, "parameter_invalid"),
  read("", "topic_not_found", "not-there"),
  read("", "topic_name_invalid", "a%20b"),
  bad("a broken Last-Event-ID", "GET /v1/topics/steady/events", "cursor_invalid", { "last-event-id": MARK }),
  bad("a stream of one partition", "GET /v1/topics/steady/events?partition=0", "parameter_invalid", STREAM),
  bad("a stream of a key without its index", "GET /v1/topics/steady/events?key=k", "index_required", STREAM),
  bad("an event without its topic", "GET /v1/events/steady-1", "topic_name_invalid"),
  bad("an event that is not there", `GET /v1/events/${MARK}?topic=steady`, "event_not_found"),
  bad("an event with an endless id", `GET /v1/events/${"x".repeat(2_000)}?topic=steady`, "event_not_found"),
  bad("an event of a topic that is not there", "GET /v1/events/x?topic=not-there", "topic_not_found"),
  bad("the story of an event without its topic", "GET /v1/events/steady-1/trace", "topic_name_invalid"),
  bad("the story of an event that is not there", `GET /v1/events/${MARK}/trace?topic=steady`, "event_not_found"),
  bad("what waits in a topic that is not there", "GET /v1/topics/not-there/scheduled", "topic_not_found"),
  bad("what waits behind no place", `GET /v1/topics/steady/scheduled?cursor=${MARK}`, "cursor_invalid"),
  bad("a cancelled event that does not wait", `DELETE /v1/topics/steady/scheduled/${MARK}`, "event_not_found"),
];

function members(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]));
}

const readMembers = (path: string, code: ErrorCode): BadRequest =>
  bad(path.slice(0, 60), `GET /v1/channels/${path}`, code);

export const BAD_MEMBERS: readonly BadRequest[] = [
  readMembers("presence-absent/members", "topic_not_found"),
  readMembers("presence-absent/members/nobody", "topic_not_found"),
  readMembers("steady/members", "presence_not_offered"),
  readMembers("steady/members/nobody", "presence_not_offered"),
  readMembers("$dead-letters/members", "topic_name_invalid"),
  readMembers(`${"x".repeat(201)}/members/nobody`, "topic_name_invalid"),
];
