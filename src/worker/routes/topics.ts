/** Topics: made, read, changed and deleted by name. */
import { Hono } from "hono";
import { isSystemTopicName, isTopicName } from "../../core/names.ts";
import { allows, type Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { LogStatus } from "../../durable-objects/rpc.ts";
import type { Env } from "../../env.ts";
import { TopicsStore, type TopicDefinition, type TopicRecord } from "../../store/topics-store.ts";
import { topicLog } from "../../stubs.ts";
import { formatTopic, parseTopicDefinition, type TopicRequest } from "../../wire/native/topic-definition.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { callerOf } from "../caller.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, noContent, problem } from "../respond.ts";
import {
  changeTopic,
  createTopic,
  DEFAULT_TOPIC,
  deleteTopic,
  findTopic,
  remember,
  withTopic,
} from "../topic-directory.ts";
import { lifeOf } from "../topic-life.ts";
import { listVisible } from "../visible-list.ts";

export const topicRoutes = new Hono<HubBindings>()
  .get("/topics", listTopics)
  .get("/topics/:topic", getTopic)
  .put("/topics/:topic", jsonBody, idempotency, putTopic)
  .delete("/topics/:topic", jsonBody, idempotency, removeTopic);

async function listTopics(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const page = await listVisible<TopicRecord>(c, {
    nameOf: ({ name }) => name,
    isVisible: ({ name }) => maySee(principal, name),
    read: (after, limit) => new TopicsStore(c.env.DB).list(principal.app, after, limit),
  });
  if (!page.ok) return problem(page.failure);
  return json({ items: page.value.items.map(formatTopic), cursor: page.value.cursor });
}

async function getTopic(c: HubContext): Promise<Response> {
  const name = c.req.param("topic")!;
  if (!isTopicName(name) && !isSystemTopicName(name)) return problem({ code: "topic_name_invalid" });
  if (!maySee(c.var.principal, name)) return problem({ code: "scope_missing" });
  const { app } = c.var.principal;
  const view = await withTopic(
    app,
    name,
    () => findTopic(c.env, app, name),
    (topic) => viewOf(c.env, topic),
  );
  return view.ok ? json(view.value) : problem(view.failure);
}

async function putTopic(c: HubContext): Promise<Response> {
  const name = c.req.param("topic")!;
  const refusal = refuseName(c, name);
  if (!refusal.ok) return problem(refusal.failure);
  if (isSystemTopicName(name)) return problem({ code: "topic_reserved" });
  const request = parseTopicDefinition(c.var.body === "" ? "{}" : c.var.body);
  if (!request.ok) return problem(request.failure);

  const put = await createOrChange(c, name, request.value);
  if (!put.ok) return problem(put.failure);
  const view = await viewOf(c.env, remember(put.value.topic));
  return view.ok ? json(view.value, put.value.created ? 201 : 200) : problem(view.failure);
}

async function removeTopic(c: HubContext): Promise<Response> {
  const name = c.req.param("topic")!;
  const refusal = refuseName(c, name);
  if (!refusal.ok) return problem(refusal.failure);
  if (isSystemTopicName(name)) return problem({ code: "topic_reserved" });
  const deleted = await deleteTopic(c.env, callerOf(c), name);
  return deleted.ok ? noContent() : problem(deleted.failure);
}

/** Who may read a topic, or manage it, may see what it is. */
const maySee = (principal: Principal, name: string): boolean =>
  allows(principal, "history", name) || allows(principal, "manage", name);

/** Scope is judged before existence. */
function refuseName(c: HubContext, name: string): Result<null> {
  if (!isTopicName(name) && !isSystemTopicName(name)) return fail("topic_name_invalid");
  return allows(c.var.principal, "manage", name) ? { ok: true, value: null } : fail("scope_missing");
}

const definitionOf = (request: TopicRequest, otherwise: TopicDefinition): TopicDefinition => ({
  partitions: request.partitions ?? otherwise.partitions,
  index: request.index ?? otherwise.index,
  retention: request.retention,
  schemaPolicy: request.schemaPolicy ?? otherwise.schemaPolicy,
  description: request.description,
});

const matches = (request: TopicRequest, topic: TopicRecord): boolean =>
  (request.partitions ?? topic.partitions) === topic.partitions && (request.index ?? topic.index) === topic.index;

/** Another request in between makes it look again, so that each change is one of what stood there. */
async function createOrChange(
  c: HubContext,
  name: string,
  request: TopicRequest,
): Promise<Result<{ topic: TopicRecord; created: boolean }>> {
  const store = new TopicsStore(c.env.DB);
  for (;;) {
    const existing = await store.find(c.var.principal.app, name);
    const made =
      existing === null
        ? await createTopic(c.env, callerOf(c), name, definitionOf(request, DEFAULT_TOPIC))
        : ok({ topic: existing, created: false });
    if (!made.ok || made.value.created) return made;
    const { topic } = made.value;
    if (!matches(request, topic))
      return fail("topic_conflict", `The topic has ${topic.partitions} partitions and index ${topic.index}.`);
    const changed = await changeTopic(c.env, callerOf(c), topic, definitionOf(request, topic));
    if (changed !== null) return ok({ topic: changed, created: false });
  }
}

/** The definition with what each partition holds; asking also brings a changed policy to the logs. */
async function viewOf(env: Env, topic: TopicRecord): Promise<Result<object>> {
  const statuses = await Promise.all(
    Array.from({ length: topic.partitions }, (_, partition) =>
      topicLog(env, topic.app, topic.name, partition).status(lifeOf(topic)),
    ),
  );
  const refused = statuses.find((status) => !status.ok);
  if (refused !== undefined) return refused as Result<never>;
  const partitions = statuses.flatMap((status) => (status.ok ? [viewOfLog(status.value)] : []));
  return {
    ok: true,
    value: { ...formatTopic(topic), createdAt: new Date(topic.createdAt).toISOString(), partitionStatus: partitions },
  };
}

/** What it holds. What its object takes is nothing that a reader can count. */
const viewOfLog = ({ storedBytes: _stored, ...held }: LogStatus): Omit<LogStatus, "storedBytes"> => held;
