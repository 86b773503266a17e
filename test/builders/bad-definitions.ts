/** Bad requests at the doors of topics, subscriptions, dead letters and addresses that nothing answers to. */
import { formatCursor } from "../../src/core/cursor.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const TEXT_TYPE = { "content-type": "text/plain" };
const JSON_TYPE = { "content-type": "application/json" };

const topic = (definition: unknown, code: ErrorCode = "topic_invalid", name = "new-topic"): BadRequest => {
  const body = typeof definition === "string" ? definition : JSON.stringify(definition);
  return bad(`the topic ${body.slice(0, 60)}`, `PUT /v1/topics/${name}`, code, JSON_TYPE, body);
};

export const BAD_TOPICS: readonly BadRequest[] = [
  topic("{", "json_invalid"),
  topic("[]"),
  topic("7"),
  topic({ partitions: 0 }),
  topic({ partitions: 65 }),
  topic({ partitions: 1.5 }),
  topic({ partitions: "2" }),
  topic({ index: "maybe" }),
  topic({ schemaPolicy: "sometimes" }),
  topic({ unheardOf: MARK }),
  topic({ retention: { maxAge: "1 day" } }),
  topic({ retention: { maxAge: "1ms" } }),
  topic({ retention: { clientEvents: MARK } }),
  topic({ retention: { maxEvents: 0 } }),
  topic({ retention: 7 }),
  topic({ retention: { for: "ever" } }),
  topic({ description: "x".repeat(1_001) }),
  topic('{"partitions":1,"partitions":2}'),
  topic('{"__proto__":{}}'),
  topic({ partitions: 7 }, "topic_conflict", "steady"),
  topic({ index: "key" }, "topic_conflict", "steady"),
  topic({}, "topic_reserved", "$mine"),
  topic({}, "topic_name_invalid", "a%20b"),
  bad("a topic as text", "PUT /v1/topics/new-topic", "content_type_unsupported", TEXT_TYPE, "{}"),
  bad("a topic that is not there", "GET /v1/topics/not-there", "topic_not_found"),
  bad("the end of a topic that is not there", "DELETE /v1/topics/not-there", "topic_not_found"),
  bad("the end of the hub's own topic", "DELETE /v1/topics/$deliveries", "topic_reserved"),
  bad("a list of no policies", "GET /v1/policies?limit=0", "parameter_invalid"),
  bad("a policy without anything", "PUT /v1/policies/p", "policy_invalid", JSON_TYPE, "{}"),
  bad(
    "a policy of no pattern",
    "PUT /v1/policies/p",
    "policy_invalid",
    JSON_TYPE,
    '{"topics":["a**"],"retention":"none"}',
  ),
  bad(
    "a policy of the hub's topics",
    "PUT /v1/policies/p",
    "policy_invalid",
    JSON_TYPE,
    '{"topics":["$a"],"retention":{}}',
  ),
  bad(
    "a policy that keeps so",
    "PUT /v1/policies/p",
    "policy_invalid",
    JSON_TYPE,
    '{"topics":["a"],"retention":"all"}',
  ),
  bad("a policy of a bad name", "PUT /v1/policies/%20", "policy_invalid", JSON_TYPE, '{"topics":["a"],"retention":{}}'),
  bad("a policy that is not there", `GET /v1/policies/${MARK}`, "policy_not_found"),
  bad("the end of no policy", `DELETE /v1/policies/${MARK}`, "policy_not_found"),
  bad("a list of no channels", "GET /v1/channels?limit=0", "parameter_invalid"),
  bad("channels with an endless prefix", `GET /v1/channels?prefix=${"x".repeat(201)}`, "parameter_invalid"),
  bad("a channel that is one of the hub's topics", "GET /v1/channels/%24system.channels", "topic_name_invalid"),
  bad("a list of no topics", "GET /v1/topics?limit=0", "parameter_invalid"),
  bad("a list behind an endless name", `GET /v1/topics?cursor=${"x".repeat(201)}`, "cursor_invalid"),
];

const GOOD = { topics: ["steady"], target: { kind: "webhook", url: "http://127.0.0.1:9/" } };

const subscription = (more: object, code: ErrorCode = "subscription_invalid", name = "new-one"): BadRequest => {
  const shown = JSON.stringify(more).slice(0, 70);
  const body = JSON.stringify({ ...GOOD, ...more });
  return bad(`the subscription ${shown}`, `PUT /v1/subscriptions/${name}`, code, JSON_TYPE, body);
};

const target = (more: object): BadRequest => subscription({ target: { ...GOOD.target, ...more } });

const rotation = (shown: string, code: ErrorCode = "subscription_invalid", name = "steady"): BadRequest =>
  bad(`the rotation ${shown}`, `POST /v1/subscriptions/${name}/secret/rotate`, code, JSON_TYPE, shown);

export const BAD_SUBSCRIPTIONS: readonly BadRequest[] = [
  rotation("{}", "subscription_not_found", "not-there"),
  rotation("{", "json_invalid"),
  rotation("[]"),
  rotation('{"overlap":"8d"}'),
  rotation('{"overlap":7}'),
  rotation(`{"secret":"${MARK}"}`),
  rotation('{"unheardOf":true}'),
  subscription({ breaker: { failures: 0 } }),
  subscription({ breaker: { unheardOf: 1 } }),
  subscription({ disableAfter: "now" }),
  subscription({ attempts: "some" }),
  target({ signing: "rsa" }),
  target({ handshake: 1 }),
  target({ handshake: true, code: MARK }),
  bad("a list of no subscriptions", "GET /v1/subscriptions?limit=0", "parameter_invalid"),
  bad("subscriptions behind an endless name", `GET /v1/subscriptions?cursor=${"x".repeat(201)}`, "cursor_invalid"),
  bad("an empty subscription", "PUT /v1/subscriptions/new-one", "subscription_invalid", JSON_TYPE, "{}"),
  bad("a subscription that is no JSON", "PUT /v1/subscriptions/new-one", "json_invalid", JSON_TYPE, "{"),
  subscription({ topics: [] }),
  subscription({ topics: "steady" }),
  subscription({ topics: [7] }),
  subscription({ topics: ["a.**.b"] }),
  subscription({ topics: ["a*b"] }),
  subscription({ topics: ["a b"] }),
  subscription({ topics: Array.from({ length: 101 }, (_, index) => `t${index}`) }),
  subscription({ target: null }),
  subscription({ target: {} }),
  subscription({ target: { kind: "pull", max: 5 } }),
  subscription({ target: { kind: "carrier-pigeon" } }),
  subscription({ target: { kind: "listener", name: "nobody" } }, "listener_not_found"),
  subscription({ target: { kind: "worker", binding: "CONSUMER_NOBODY" } }, "worker_not_found"),
  subscription({ target: { kind: "worker", binding: "DB" } }),
  subscription({ target: { kind: "worker", binding: "CONSUMER_A", entrypoint: MARK } }),
  subscription({ target: { kind: "topic", topic: "steady" } }),
  subscription({ target: { kind: "topic", topic: "$dead-letters" } }),
  ...[
    { url: "http://127.0.0.1:9/" },
    { url: "http://127.0.0.1:9/", key: "no key" },
    { url: "http://127.0.0.1:9/", key: "000000000000" },
    { url: "nowhere", key: "000000000000" },
    { url: "http://127.0.0.1:9/", key: "000000000000", secret: "s" },
  ].map((more) => subscription({ topics: ["$system.channels"], target: { kind: "pusher", ...more } })),
  subscription({ topics: ["order.*"], target: { kind: "pusher", url: "http://127.0.0.1:9/", key: "000000000000" } }),
  ...[
    "javascript:alert(1)",
    "data:text/plain,x",
    "ftp://example.com/",
    "//example.com/",
    `https://u:${MARK}@example.com/`,
    "https://example.com/#x",
    "https://exa mple.com/",
    "not an address",
    "",
  ].map((url) => target({ url })),
  ...["Host", "webhook-signature", "Content-Length", "bad name", "cf-ray", "__proto__x y"].map((name) =>
    target({ headers: { [name]: "x" } }),
  ),
  target({ headers: { "x-a": "a\r\nset-cookie: b" } }),
  target({ headers: { "x-a": "ж" } }),
  target({ headers: { "x-a": "********" } }),
  target({ headers: { "X-Real-IP": "127.0.0.1" } }),
  target({ headers: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`x-${at}`, "a"])) }),
  target({ headers: [] }),
  target({ secret: MARK }),
  target({ secret: "whsec_AAAA" }),
  target({ unheardOf: 1 }),
  subscription({ filter: { data: { total: [{ numeric: [">", "100"] }] } } }, "filter_invalid"),
  subscription({ filter: { type: [{ prefix: 5 }] } }, "filter_invalid"),
  subscription({ filter: { $or: [{ type: ["a"] }] } }, "filter_invalid"),
  subscription({ filter: { type: "a" } }, "filter_invalid"),
  subscription({ filter: { type: ["x".repeat(5_000)] } }, "filter_invalid"),
  subscription({ retry: { maxAttempts: 0 } }),
  subscription({ retry: { maxAttempts: 51 } }),
  subscription({ retry: { schedule: ["soon"] } }),
  subscription({ retry: { schedule: [] } }),
  subscription({ retry: { retryOn4xx: "yes" } }),
  subscription({ maxInFlight: 0 }),
  subscription({ maxInFlight: 1_001 }),
  subscription({ timeout: "1h" }),
  subscription({ timeout: 5 }),
  subscription({ ordering: "newest" }),
  subscription({ mode: "sync", target: { kind: "pull" } }),
  subscription({ mode: "sync", ordering: "key" }),
  subscription({ ratePerSecond: 0 }),
  subscription({ ratePerSecond: 10_001 }),
  subscription({ mode: "batch", ordering: "key" }),
  subscription({ mode: "batch", target: { kind: "pull" } }),
  subscription({ mode: "batch", batch: { maxEvents: 501 } }),
  subscription({ mode: "batch", batch: { maxEvents: 50 }, maxInFlight: 10 }),
  subscription({ mode: "batch", batch: { maxBytes: 10 } }),
  subscription({ mode: "batch", batch: { maxWait: "2m" } }),
  subscription({ batch: { maxEvents: 5 } }),
  subscription({ startFrom: "offset:3" }),
  subscription({ startFrom: "whenever" }),
  subscription({ unheardOf: MARK }),
  subscription({}, "subscription_invalid", "bad%20name"),
  subscription({}, "subscription_invalid", "x".repeat(101)),
  ...[
    "GET /v1/subscriptions/nobody",
    "DELETE /v1/subscriptions/nobody",
    "POST /v1/subscriptions/nobody/pause",
    "POST /v1/subscriptions/nobody/resume",
    "GET /v1/subscriptions/nobody/deliveries",
    "GET /v1/subscriptions/nobody/dead-letters",
    "POST /v1/subscriptions/nobody/dead-letters/redrive",
    "POST /v1/subscriptions/nobody/pull",
    "POST /v1/subscriptions/nobody/seek",
    "POST /v1/subscriptions/nobody/replay",
    "POST /v1/subscriptions/nobody/skip",
    "POST /v1/subscriptions/nobody/retry",
    "GET /v1/subscriptions/a%2Fb",
  ].map((at) => bad(`${at} of nobody`, at, "subscription_not_found")),
];

const letters = (body: string, code: ErrorCode, verb = "redrive"): BadRequest =>
  bad(`${verb} ${body.slice(0, 40)}`, `POST /v1/subscriptions/steady/dead-letters/${verb}`, code, JSON_TYPE, body);

const parked = (body: string, code: ErrorCode, verb: "skip" | "retry"): BadRequest =>
  bad(`${verb} ${body.slice(0, 40)}`, `POST /v1/subscriptions/steady/${verb}`, code, JSON_TYPE, body);

const replayed = (body: string, code: ErrorCode): BadRequest =>
  bad(`replay ${body}`, "POST /v1/subscriptions/steady/replay", code, JSON_TYPE, body);

/** Of a life that nobody has had. */
const CURSOR = formatCursor({ epoch: 7, offsets: new Map([[0, 1]]) });

const settled = (query: string, code: ErrorCode, name = "steady"): BadRequest =>
  bad(`settled?${query}`, `GET /v1/subscriptions/${name}/settled?${query}`, code);

export const BAD_REPAIRS: readonly BadRequest[] = [
  parked("[]", "parameter_invalid", "skip"),
  parked("{}", "parameter_invalid", "retry"),
  parked('{"id":7}', "parameter_invalid", "skip"),
  parked(`{"id":"${"x".repeat(201)}"}`, "parameter_invalid", "retry"),
  parked('{"id":"a","all":true}', "parameter_invalid", "skip"),
  parked(`{"id":"${MARK}"}`, "delivery_not_found", "skip"),
  parked(`{"id":"${MARK}"}`, "delivery_not_found", "retry"),
  letters("", "json_invalid"),
  letters("[]", "parameter_invalid"),
  letters("{", "json_invalid", "discard"),
  letters("{}", "parameter_invalid"),
  letters('{"ids":[]}', "parameter_invalid"),
  letters('{"ids":[7]}', "parameter_invalid"),
  letters(`{"ids":["${"x".repeat(201)}"]}`, "parameter_invalid"),
  letters(JSON.stringify({ ids: Array.from({ length: 1_001 }, () => "a") }), "parameter_invalid"),
  letters('{"all":true,"all":true}', "parameter_invalid", "discard"),
  letters('{"all":true,"__proto__":{}}', "parameter_invalid"),
  letters('{"all":false}', "parameter_invalid"),
  letters('{"all":true,"ids":["a"]}', "parameter_invalid", "discard"),
  letters('{"all":true,"dryRun":"yes"}', "parameter_invalid"),
  letters('{"all":true,"filter":{"type":["a"]}}', "parameter_invalid"),
  letters('{"filter":{}}', "filter_invalid"),
  letters('{"filter":{"type":[{"near":1}]}}', "filter_invalid", "discard"),
  letters('{"filter":{"type":["a"]},"fingerprint":"a"}', "parameter_invalid"),
  letters('{"fingerprint":7}', "parameter_invalid"),
  letters('{"all":true,"ratePerSecond":0}', "parameter_invalid"),
  letters('{"all":true,"ratePerSecond":1.5}', "parameter_invalid", "discard"),
  letters('{"all":true,"ratePerSecond":"10"}', "parameter_invalid"),
  bad("dead letters by no filter", "GET /v1/subscriptions/steady/dead-letters?filter=zebra", "json_invalid"),
  bad("dead letters by a bad filter", "GET /v1/subscriptions/steady/dead-letters?filter=%7B%7D", "filter_invalid"),
  bad("groups behind nonsense", `GET /v1/subscriptions/steady/dead-letters/groups?cursor=${MARK}`, "cursor_invalid"),
  bad("no groups", "GET /v1/subscriptions/steady/dead-letters/groups?limit=0", "parameter_invalid"),
  bad("a job that is not there", `GET /v1/jobs/job_${MARK.replaceAll(/[^0-9A-Za-z]/g, "")}_1`, "job_not_found"),
  ...[
    "{}",
    '{"to":7}',
    '{"to":"zebra"}',
    '{"to":"offset:0"}',
    '{"to":"latest","partition":64}',
    '{"to":"latest","dryRun":1}',
    '{"to":"latest","x":1}',
  ].map((body) => bad(`seek ${body}`, "POST /v1/subscriptions/steady/seek", "parameter_invalid", JSON_TYPE, body)),
  bad("seek to no cursor", "POST /v1/subscriptions/steady/seek", "cursor_invalid", JSON_TYPE, '{"to":"cursor:x"}'),
  bad(
    "seek in no topic",
    "POST /v1/subscriptions/steady/seek",
    "topic_not_found",
    JSON_TYPE,
    '{"to":"latest","topic":"x"}',
  ),
  ...[
    "{}",
    '{"mode":"force"}',
    '{"from":"earliest"}',
    '{"mode":"zebra","from":"earliest"}',
    '{"mode":7,"from":"earliest"}',
    '{"mode":"force","from":"zebra"}',
    '{"mode":"force","from":"earliest","to":"offset:0"}',
    '{"mode":"missing","from":"earliest","partition":64}',
    '{"mode":"failed","from":"earliest","ratePerSecond":0}',
    '{"mode":"force","from":"earliest","dryRun":1}',
    '{"mode":"force","from":"earliest","x":1}',
  ].map((body) => replayed(body, "parameter_invalid")),
  replayed('{"mode":"force","from":"cursor:x"}', "cursor_invalid"),
  replayed('{"mode":"force","from":"earliest","filter":{}}', "filter_invalid"),
  replayed('{"mode":"failed","from":"earliest","topic":"x"}', "topic_not_found"),
  bad("no job's id", `GET /v1/jobs/${MARK}`, "job_not_found"),
  bad("an end of no job", `POST /v1/jobs/${MARK}/cancel`, "job_not_found", JSON_TYPE, "{}"),
  settled("minCursor=AQ", "parameter_invalid"),
  settled("topic=nothing.here", "cursor_invalid"),
  settled(`topic=nothing.here&minCursor=${MARK}`, "cursor_invalid"),
  settled(`topic=nothing.here&minCursor=${CURSOR}&wait=31s`, "parameter_invalid"),
  settled(`topic=nothing.here&minCursor=${CURSOR}&wait=soon`, "parameter_invalid"),
  settled(`topic=nothing.here&minCursor=${CURSOR}`, "topic_not_found"),
  settled(`topic=${MARK}&minCursor=${CURSOR}`, "parameter_invalid"),
  settled(`topic=steady&minCursor=${CURSOR}`, "parameter_invalid"),
  settled(`topic=steady&minCursor=${CURSOR}`, "subscription_not_found", "nobody"),
  bad("dead letters behind nonsense", `GET /v1/subscriptions/steady/dead-letters?cursor=${MARK}`, "cursor_invalid"),
  bad("no dead letters", "GET /v1/subscriptions/steady/dead-letters?limit=0", "parameter_invalid"),
  bad("deliveries of an odd state", "GET /v1/subscriptions/steady/deliveries?state=odd", "parameter_invalid"),
];

const pull = (body: string, code: ErrorCode = "parameter_invalid", verb = "pull", headers = {}): BadRequest => {
  const name = `${verb} ${body.slice(0, 40)}`;
  return bad(name, `POST /v1/subscriptions/steady/${verb}`, code, { ...JSON_TYPE, ...headers }, body);
};

const ack = (body: unknown): BadRequest => pull(JSON.stringify(body), "parameter_invalid", "ack");

export const BAD_PULLS: readonly BadRequest[] = [
  pull("{", "json_invalid"),
  pull("[]"),
  pull('{"max":0}'),
  pull('{"max":1001}'),
  pull('{"lease":"1ms"}'),
  pull('{"lease":"13h"}'),
  pull('{"wait":"31s"}'),
  pull('{"max":1,"max":2}'),
  pull(`{"unheardOf":"${MARK}"}`),
  pull("{}", "idempotency_key_invalid", "pull", { "idempotency-key": "again" }),
  pull("{}", "subscription_not_pulled"),
  pull("", "json_invalid", "ack"),
  ack({}),
  ack({ acks: "all" }),
  ack({ acks: [MARK] }),
  ack({ acks: [{ id: MARK }] }),
  ack({ acks: [{ id: "a", lease: 5 }] }),
  ack({ nacks: [{ id: "a", lease: "b", delay: "soon" }] }),
  ack({ nacks: [{ id: "a", lease: "b", reason: "x".repeat(1_001) }] }),
  ack({ extends: [{ id: "a", lease: "b" }] }),
  ack({ extends: [{ id: "a", lease: "b", by: "13h" }] }),
  ack({ acks: Array.from({ length: 1_001 }, () => ({ id: "a", lease: "b" })) }),
];

const OVERRIDE = { "x-http-method-override": "PUT" };

export const BAD_ADDRESSES: readonly BadRequest[] = [
  bad("an address that nothing answers to", `GET /v1/${MARK}`, "route_not_found"),
  bad("an address outside the contract", "POST /v2/topics", "route_not_found"),
  bad("a path too long", "GET /v1/topics/steady/events/more", "route_not_found"),
  bad("a path with nothing where a name belongs", "GET /v1/topics//events", "route_not_found"),
  bad("a question about its methods", "OPTIONS /v1/topics/steady/events", "method_not_allowed"),
  bad("a path that is not percent-encoded", "GET /v1/topics/%zz/events", "topic_name_invalid"),
  bad("a path that is not UTF-8", "PUT /v1/topics/%ff", "topic_name_invalid", JSON_TYPE, "{}"),
  bad("a subscription that is not percent-encoded", "GET /v1/subscriptions/%zz", "subscription_not_found"),
  bad("an event that is not percent-encoded", "GET /v1/events/%zz?topic=steady", "event_not_found"),
  bad("a query that is not percent-encoded", "GET /v1/events/x?topic=%zz", "topic_name_invalid"),
  bad("a name of 8 KB", `GET /v1/topics/${"n".repeat(8_192)}/events`, "topic_name_invalid"),
  bad("a query of 8 KB", `GET /v1/topics/steady/events?from=${"q".repeat(8_192)}`, "parameter_invalid"),
  bad("a method that the address does not know", "DELETE /v1/topics/steady/events", "method_not_allowed"),
  bad("a list that is posted to", "POST /v1/topics", "method_not_allowed", JSON_TYPE, "{}"),
  bad("a method behind an override header", "PATCH /v1/topics/steady", "method_not_allowed", OVERRIDE, "{}"),
  bad("a socket's address without an upgrade", "GET /v1/connect", "upgrade_required"),
];
