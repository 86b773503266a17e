/** Events of a topic: published in every form, read in pages, by long poll and as server-sent events. */
import { Hono } from "hono";
import { formatCursor } from "../../core/cursor.ts";
import { withSeams } from "../../core/event.ts";
import type { FilterPattern } from "../../core/filter-pattern.ts";
import { isSystemTopicName, isTopicName } from "../../core/names.ts";
import { allows } from "../../core/principal.ts";
import type { Action } from "../../core/scope.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { AppendRequest } from "../../durable-objects/rpc.ts";
import type { Lifts } from "../../core/upcast.ts";
import { IdempotencyStore } from "../../store/idempotency-store.ts";
import type { TopicRecord } from "../../store/topics-store.ts";
import { ENVELOPE_TYPE, formatEnvelope } from "../../wire/native/envelope.ts";
import { formatMermaidStory } from "../../wire/native/event-story.ts";
import { refuseUnread } from "../body.ts";
import { callerOf, type Caller } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { findEvent, tellStory } from "../event-story.ts";
import { readEventsQuery, type LiveQuery } from "../events-query.ts";
import { LiveReader } from "../live.ts";
import { fingerprintOf, readIdempotencyKey, scopeOf } from "../middleware/idempotency.ts";
import { publish, type Published } from "../publish.ts";
import { publishLines } from "../publish-ndjson.ts";
import {
  draftDefaults,
  formatPublishReceipts,
  isNdjson,
  readConditions,
  readPublishBody,
  type PublishBody,
} from "../publish-request.ts";
import { checkEventsQuery, envelopePage, liftPage, readEvents, type EventsPage } from "../read-events.ts";
import { json, jsonText, problem } from "../respond.ts";
import { recordPublish, recordPublishEnd } from "../request-trace.ts";
import { resolveLifts } from "../resolve-lifts.ts";
import { noteReader } from "../sightings.ts";
import { deliverSync, type SyncOutcome } from "../sync-delivery.ts";
import { findSyncSubscriptions } from "../sync-directory.ts";
import { formatPosition, sseResponse } from "../sse.ts";
import { ensureTopic, findTopic, withTopic, type FirstUse } from "../topic-directory.ts";

export const eventRoutes = new Hono<HubBindings>()
  .post("/topics/:topic/events", postEvents)
  .get("/topics/:topic/events", getEvents)
  .get("/events/:id", getEvent)
  .get("/events/:id/trace", getEventTrace);

async function postEvents(c: HubContext): Promise<Response> {
  const topic = c.req.param("topic")!;
  const refusal = refuseTopic(c, topic, "publish");
  if (!refusal.ok) return problem(refusal.failure);
  const conditions = readConditions(c);
  if (!conditions.ok) return problem(conditions.failure);
  const key = readIdempotencyKey(c.req.raw);
  if (!key.ok) return problem(key.failure);
  if (isNdjson(c)) return postLines(c, topic, key.value, conditions.value.partition);

  const body = await readPublishBody(c);
  if (!body.ok) return problem(body.failure);
  const { drafts } = body.value;
  // Beside the append: where there are none nobody waits.
  const looked = findSyncSubscriptions(c.env, c.get("principal").app, topic);
  const work = (request: AppendRequest["request"]) =>
    publish(c.env, callerOf(c), topic, drafts, { ...conditions.value, request });
  const answer =
    key.value === null
      ? await work(null)
      : await publishOnce(c, key.value, fingerprintOfPublish(body.value, conditions.value.partition), work);
  if (!answer.ok) return problem(answer.failure);
  recordPublish(c, topic, answer.value);
  return receiptsOf(answer.value, await deliverSync(c.env, c.executionCtx, await looked, answer.value));
}

/** What was asked is more than a body: a partition chosen by hand, and the attributes of a binary CloudEvent. */
function fingerprintOfPublish({ bytes, attributes }: PublishBody, partition: number | null): string {
  const parts = [fingerprintOf(bytes)];
  if (attributes !== null) parts.push(fingerprintOf(attributes));
  if (partition !== null) parts.push(String(partition));
  return parts.join("/");
}

function postLines(c: HubContext, topic: string, key: string | null, partition: number | null): Response {
  if (key !== null)
    return problem({
      code: "idempotency_key_invalid",
      detail: "A stream of lines takes no Idempotency-Key: give the events ids.",
    });
  const unread = refuseUnread(c.req.raw, Number.MAX_SAFE_INTEGER);
  if (unread !== null && !unread.ok) return problem(unread.failure);
  const body = c.req.raw.body ?? new Blob([]).stream();
  const callerNow = () => callerAgain(c, topic);
  const ended = (messages: number, error: string | null): void =>
    recordPublishEnd(c, topic, { messages, replayed: false, error });
  const lines = publishLines({ env: c.env, callerNow, topic, partition, defaults: draftDefaults(c), ended }, body);
  return new Response(lines, { headers: { "content-type": "application/x-ndjson; charset=utf-8" } });
}

/** Judged anew: revoked, expired or rotated meanwhile, or of an app that is gone, though another bears its name. */
async function callerAgain(c: HubContext, topic: string): Promise<Result<Caller>> {
  const again = await c.var.authenticateAgain();
  if (!again.ok) return again;
  const { principal } = again.value;
  if (principal.app !== c.get("principal").app) return fail("app_not_found");
  return allows(principal, "publish", topic) ? ok({ ...callerOf(c), principal }) : fail("scope_missing");
}

/**
 * The D1 row guards the request: another body is refused before anything is appended. Whether the events exist is
 * decided by the log alone, in the transaction that appends them; so a repeat simply runs again, converges on the same
 * offsets, and the row needs no second write to say that the first one ended.
 */
async function publishOnce(
  c: HubContext,
  key: string,
  fingerprint: string,
  work: (request: { key: string; fingerprint: string }) => Promise<Result<Published>>,
): Promise<Result<Published>> {
  const store = new IdempotencyStore(c.env.DB);
  const [scope, token] = [scopeOf(c), crypto.randomUUID()];
  const record = await store.guard(scope, key, fingerprint, token, Date.now()).catch(() => null);
  // Without D1 the log still decides whether the events exist; only the look at another body's hash comes later.
  if (record === null) return work({ key: JSON.stringify([scope, key]), fingerprint });
  if (record.fingerprint !== fingerprint) return fail("idempotency_key_reused");
  const answer = await work({ key: JSON.stringify([scope, key]), fingerprint });
  if (record.token === token && !answer.ok) c.executionCtx.waitUntil(store.release(scope, key, token));
  return answer;
}

function receiptsOf({ receipts, replayed }: Published, sync: readonly SyncOutcome[]): Response {
  const allDuplicates = receipts.every(({ outcome }) => outcome.ok && outcome.value.duplicate);
  const outcomes = sync.length === 0 ? "" : `,"sync":${JSON.stringify(sync)}`;
  const text = `{"events":[${formatPublishReceipts(receipts).join(",")}]${outcomes}}`;
  return jsonText(text, allDuplicates ? 200 : 201, replayed ? { "idempotent-replayed": "true" } : {});
}

async function getEvents(c: HubContext): Promise<Response> {
  const name = c.req.param("topic")!;
  const isNamed = refuseName(name);
  if (!isNamed.ok) return problem(isNamed.failure);
  const query = readEventsQuery(c);
  if (!query.ok) return problem(query.failure);
  const { app } = c.get("principal");
  // HEAD comes here as well. Its answer has no body, so it would follow for nobody: it is told of the page as it is.
  const mayFollow = c.req.method === "GET";
  const isStream = (c.req.header("accept") ?? "").includes("text/event-stream");
  const mayWait = mayFollow && query.value.waitMs > 0;
  const follows = mayFollow && (isStream || mayWait);
  if (!allows(c.get("principal"), follows ? "subscribe" : "history", name)) return problem({ code: "scope_missing" });
  const lifts = await resolveLifts(c.env, c.get("principal"), query.value.pins, "");
  if (!lifts.ok) return problem(lifts.failure);
  if (mayFollow && isStream) return getStream(c, name, query.value, lifts.value);

  const readOf = (look: () => Promise<Result<TopicRecord>>) => (from: LiveQuery) =>
    withTopic(app, name, look, (topic) => readEvents(c.env, topic, from));
  const find = () => findTopic(c.env, app, name);
  const use: FirstUse = { index: "none", check: (topic) => checkEventsQuery(topic, query.value) };
  const page = await readOf(mayWait ? () => ensureTopic(c.env, callerOf(c), name, use) : find)(query.value);
  if (!page.ok) return problem(page.failure);
  noteReader(c.env, callerOf(c), name, "page");
  const isWorthWaiting = mayWait && page.value.count === 0 && page.value.caughtUp && page.value.gap === null;
  if (!isWorthWaiting) return pageResponse(c, liftPage(page.value, lifts.value));
  // Who waits has made the topic once; one that is deleted meanwhile is not made again.
  const later = await waitForEvents(c, name, query.value, page.value, readOf(find));
  return later.ok ? pageResponse(c, liftPage(later.value, lifts.value)) : problem(later.failure);
}

/** Follows the topic until its first event, or until time is up; then reads as any reader would. */
async function waitForEvents(
  c: HubContext,
  topic: string,
  query: LiveQuery,
  empty: EventsPage,
  read: (from: LiveQuery) => Promise<Result<EventsPage>>,
): Promise<Result<EventsPage>> {
  const deadline = Date.now() + query.waitMs;
  const from = { kind: "cursor", cursor: empty.cursor } as const;
  const follow = { topic, from: formatPosition(from), filter: livePattern(query) };
  const opened = await LiveReader.open(c.env, c.get("principal"), c.req.raw, follow);
  if (!opened.ok) return opened;
  const live = opened.value;
  try {
    let page: Result<EventsPage> = ok(empty);
    while (page.ok && page.value.count === 0 && page.value.gap === null) {
      const messages = await live.next(Math.max(0, deadline - Date.now()));
      if (live.refusal !== null) return { ok: false, failure: live.refusal };
      if (messages === null) break;
      if (messages.some(({ op }) => op === "event" || op === "gap" || op === "unsubscribed"))
        page = await read({ ...query, from });
    }
    return page;
  } finally {
    live.close();
  }
}

async function getStream(c: HubContext, name: string, query: LiveQuery, lifts: Lifts): Promise<Response> {
  if (query.partition !== null)
    return problem({ code: "parameter_invalid", detail: "A stream follows every partition." });
  const use: FirstUse = { index: "none", check: (topic) => checkStream(topic, query) };
  const topic = await ensureTopic(c.env, callerOf(c), name, use);
  if (!topic.ok) return problem(topic.failure);
  const checked = checkStream(topic.value, query);
  if (!checked.ok) return problem(checked.failure);
  noteReader(c.env, callerOf(c), name, "stream");
  const follow = { topic: name, from: formatPosition(query.from), filter: livePattern(query) };
  const live = await LiveReader.open(c.env, c.get("principal"), c.req.raw, follow);
  return live.ok ? sseResponse(live.value, name, lifts) : problem(live.failure);
}

const checkStream = ({ index }: Pick<TopicRecord, "index">, { key }: LiveQuery): Result<null> =>
  key !== null && index !== "key" ? fail("index_required") : ok(null);

const livePattern = ({ pattern, key }: LiveQuery): FilterPattern | null =>
  key === null ? pattern : { ...pattern, key: [key] };

function pageResponse(c: HubContext, page: EventsPage): Response {
  const type = envelopeType(c);
  const { parts, cursor, caughtUp, gap, keyVersion } = type === null ? page : envelopePage(page);
  const version = keyVersion === null ? "" : `,"keyVersion":${keyVersion}`;
  const hole = gap === null ? "" : `,"gap":${JSON.stringify(gap)}`;
  const tail = `],"cursor":"${formatCursor(cursor)}","caughtUp":${caughtUp}${version}${hole}}`;
  // Bytes would be copied into the answer; a Blob is copied once, in one piece, and goes out as it is.
  return jsonText(new Blob([`{"events":[`, ...withSeams(parts), tail]), 200, type ?? {});
}

/** Null: events are asked for as they are. */
const envelopeType = (c: HubContext): { "content-type": string } | null =>
  (c.req.header("accept") ?? "").includes(ENVELOPE_TYPE) ? { "content-type": ENVELOPE_TYPE } : null;

async function getEvent(c: HubContext): Promise<Response> {
  const refusal = refuseTopic(c, c.req.query("topic") ?? "", "history");
  if (!refusal.ok) return problem(refusal.failure);
  const found = await findEvent(c.env, c.get("principal").app, c.req.query("topic")!, c.req.param("id")!);
  if (!found.ok) return problem(found.failure);
  const type = envelopeType(c);
  const { line } = found.value;
  return type === null ? jsonText(line) : jsonText(formatEnvelope(line), 200, type);
}

const MERMAID = "text/vnd.mermaid";

async function getEventTrace(c: HubContext): Promise<Response> {
  const refusal = refuseTopic(c, c.req.query("topic") ?? "", "history");
  if (!refusal.ok) return problem(refusal.failure);
  const found = await findEvent(c.env, c.get("principal").app, c.req.query("topic")!, c.req.param("id")!);
  if (!found.ok) return problem(found.failure);
  const story = await tellStory(c.env, c.get("principal"), found.value);
  if (!(c.req.header("accept") ?? "").includes(MERMAID)) return json(story);
  return new Response(formatMermaidStory(story), { headers: { "content-type": `${MERMAID}; charset=utf-8` } });
}

const refuseName = (topic: string): Result<null> =>
  isTopicName(topic) || isSystemTopicName(topic) ? ok(null) : fail("topic_name_invalid");

/** Scope is judged before existence, and the hub's own topics are never published to. */
function refuseTopic(c: HubContext, topic: string, action: Action): Result<null> {
  const named = refuseName(topic);
  if (!named.ok) return named;
  if (!allows(c.get("principal"), action, topic)) return fail("scope_missing");
  return action === "publish" && isSystemTopicName(topic) ? fail("topic_reserved") : ok(null);
}
