/**
 * Events of a topic that wait for their time: listed, and taken back. Who manages the topic sees all of them; who may
 * only publish to it, what it has scheduled itself. Readers see none before its time.
 */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isSystemTopicName, isTopicName } from "../../core/names.ts";
import { allows, principalKey } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import {
  FIRST_PLACE,
  formatPlace,
  mergePages,
  parsePlace,
  placeIn,
  type TopicPlace,
} from "../../core/scheduled-place.ts";
import type { ScheduledEvent } from "../../durable-objects/rpc/scheduled.ts";
import { AuditStore } from "../../store/audit-store.ts";
import type { TopicRecord } from "../../store/topics-store.ts";
import { topicLog } from "../../stubs.ts";
import { formatScheduledEvent } from "../../wire/native/scheduled-event.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { jsonText, noContent, problem } from "../respond.ts";
import { findTopic, withTopic } from "../topic-directory.ts";
import { lifeOf } from "../topic-life.ts";

export const scheduledEventRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/topics/:topic/scheduled", listScheduled)
  .delete("/topics/:topic/scheduled/:id", jsonBody, idempotency, cancelScheduled);

async function listScheduled(c: HubContext): Promise<Response> {
  const producer = producerOf(c);
  if (!producer.ok) return problem(producer.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const after = query.value.after === "" ? FIRST_PLACE : parsePlace(query.value.after);
  if (after === null) return problem({ code: "cursor_invalid" });
  const page = await readScheduled(c, { after, limit: query.value.limit, id: null, producer: producer.value });
  if (!page.ok) return problem(page.failure);
  const { items, next } = page.value;
  const cursor = next === null ? "null" : JSON.stringify(formatPlace(next));
  return jsonText(`{"items":[${items.map(formatScheduledEvent).join(",")}],"cursor":${cursor}}`);
}

/** The audit log is told first: nothing is taken back unseen, and one whose time came meanwhile was asked for. */
async function cancelScheduled(c: HubContext): Promise<Response> {
  const producer = producerOf(c);
  if (!producer.ok) return problem(producer.failure);
  const id = c.req.param("id")!;
  if (id.length > LIMITS.EVENT_ID_BYTES_MAX) return problem({ code: "event_not_found" });
  const page = await readScheduled(c, { after: FIRST_PLACE, limit: 1, id, producer: producer.value });
  if (!page.ok) return problem(page.failure);
  const found = page.value.items[0];
  if (found === undefined) return problem({ code: "event_not_found" });
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: "event.cancelled",
    subject: c.req.param("topic")!,
    before: { id, deliverAt: new Date(found.deliverAt).toISOString() },
    after: null,
  });
  const cancelled = await onPartitions(c, (topic, partition) =>
    topicLog(c.env, topic.app, topic.name, partition).cancel(lifeOf(topic), id, producer.value),
  );
  if (!cancelled.ok) return problem(cancelled.failure);
  return cancelled.value.some((count) => count > 0) ? noContent() : problem({ code: "event_not_found" });
}

/** Whose events it may see; null: everybody's. Scope is judged before existence. */
function producerOf(c: HubContext): Result<string | null> {
  const topic = c.req.param("topic")!;
  if (!isTopicName(topic) && !isSystemTopicName(topic)) return fail("topic_name_invalid");
  const { principal } = c.var;
  if (allows(principal, "manage", topic)) return ok(null);
  return allows(principal, "publish", topic) ? ok(principalKey(principal)) : fail("scope_missing");
}

interface ScheduledQuery {
  readonly after: TopicPlace;
  readonly limit: number;
  readonly id: string | null;
  readonly producer: string | null;
}

async function readScheduled(
  c: HubContext,
  { after, limit, id, producer }: ScheduledQuery,
): Promise<Result<{ items: readonly (ScheduledEvent & TopicPlace)[]; next: TopicPlace | null }>> {
  const pages = await onPartitions(c, async (topic, partition) => {
    const charsMax = Math.ceil(LIMITS.PAGE_BYTES_MAX / topic.partitions);
    const ask = { after: placeIn(partition, after), limit, charsMax, id, producer };
    const page = await topicLog(c.env, topic.app, topic.name, partition).waiting(lifeOf(topic), ask);
    return page.ok ? ok({ ...page.value, partition }) : page;
  });
  return pages.ok ? ok(mergePages(pages.value, limit)) : pages;
}

/** What each of the topic's partitions answers, or the first refusal. */
function onPartitions<T>(
  c: HubContext,
  ask: (topic: TopicRecord, partition: number) => Promise<Result<T>>,
): Promise<Result<T[]>> {
  const [name, { app }] = [c.req.param("topic")!, c.var.principal];
  return withTopic(
    app,
    name,
    () => findTopic(c.env, app, name),
    async (topic) => {
      const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
      const answers = await Promise.all(partitions.map((partition) => ask(topic, partition)));
      const refused = answers.find((answer) => !answer.ok);
      if (refused !== undefined && !refused.ok) return refused;
      return ok(answers.flatMap((answer) => (answer.ok ? [answer.value] : [])));
    },
  );
}
