/** Topics, and the policies by which a first use makes them. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  DURATION,
  listOf,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const INDEX = oneOfTexts("none", "version", "key");
const POLICY = oneOfTexts("off", "warn", "enforce");
const DESCRIPTION = shortText(1_000);
const CLIENT_EVENTS = { enum: [true, false, "announced"] };

export const TOPIC_SHAPES = {
  Retention: taken(
    {},
    { maxAge: DURATION, maxEvents: whole(1), maxBytes: whole(1), clientEvents: CLIENT_EVENTS },
    { description: "What a topic keeps: the first bound that is met counts." },
  ),
  TopicDefinition: taken(
    {},
    {
      partitions: whole(1, LIMITS.TOPIC_PARTITIONS_MAX),
      retention: { anyOf: [named("Retention"), { const: "none" }] },
      index: INDEX,
      schemaPolicy: POLICY,
      description: DESCRIPTION,
    },
    { examples: [{ partitions: 4, retention: { maxAge: "7d" }, schemaPolicy: "enforce" }] },
  ),
  TopicFacts: shown({
    name: text(),
    partitions: whole(1),
    retention: named("Retention"),
    index: INDEX,
    schemaPolicy: POLICY,
    description: orNull(text()),
  }),
  Topic: {
    allOf: [
      named("TopicFacts"),
      shown({
        createdAt: TIME,
        partitionStatus: listOf(
          shown({ partition: whole(), firstOffset: whole(), lastOffset: whole(), events: whole(), bytes: whole() }),
        ),
      }),
    ],
  },
  PolicyDefinition: taken(
    {
      topics: listOf(text(), { minItems: 1, maxItems: LIMITS.POLICY_TOPICS_MAX }),
      retention: { anyOf: [named("Retention"), { const: "none" }] },
    },
    { description: DESCRIPTION },
  ),
  Policy: shown({
    name: text(),
    topics: listOf(text()),
    retention: named("Retention"),
    description: orNull(text()),
  }),
} as const;

const TOPIC = { "application/json": named("Topic") };
const POLICY_ANSWER = { "application/json": named("Policy") };

export const TOPICS: RouteGroup = {
  name: "Topics",
  says: "Named ordered logs, and the policies for those that a first use makes.",
  routes: [
    {
      route: "GET /v1/topics",
      id: "listTopics",
      summary: "List the topics that the credential may read or manage",
      scope: "history or manage, by topic",
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("TopicFacts")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/topics/:topic",
      id: "getTopic",
      summary: "Read a topic's definition and what each partition holds",
      scope: "history or manage on the topic",
      answers: [{ status: 200, says: "The topic.", content: TOPIC }],
      problems: ["topic_name_invalid", "topic_not_found"],
    },
    {
      route: "PUT /v1/topics/:topic",
      id: "putTopic",
      summary: "Make a topic or change what may change of it",
      details: "Partitions and index are fixed when it is made.",
      scope: "manage on the topic",
      body: { "application/json": named("TopicDefinition") },
      isBodyOptional: true,
      isRepeatable: true,
      answers: [
        { status: 200, says: "Changed, or as it was.", content: TOPIC },
        { status: 201, says: "Made.", content: TOPIC },
      ],
      problems: ["topic_conflict", "topic_invalid", "topic_name_invalid", "topic_reserved"],
    },
    {
      route: "DELETE /v1/topics/:topic",
      id: "deleteTopic",
      summary: "Delete a topic with all its events",
      scope: "manage on the topic",
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["topic_name_invalid", "topic_not_found", "topic_reserved"],
    },
    {
      route: "GET /v1/policies",
      id: "listPolicies",
      summary: "List the app's policies",
      scope: "admin",
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("Policy")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/policies/:name",
      id: "getPolicy",
      summary: "Read a policy",
      scope: "admin",
      answers: [{ status: 200, says: "The policy.", content: POLICY_ANSWER }],
      problems: ["policy_not_found"],
    },
    {
      route: "PUT /v1/policies/:name",
      id: "putPolicy",
      summary: "Say what topics keep that a first publish or subscribe makes",
      scope: "admin",
      body: { "application/json": named("PolicyDefinition") },
      isRepeatable: true,
      answers: [
        { status: 200, says: "Changed, or as it was.", content: POLICY_ANSWER },
        { status: 201, says: "Made.", content: POLICY_ANSWER },
      ],
      problems: ["policy_invalid"],
    },
    {
      route: "DELETE /v1/policies/:name",
      id: "deletePolicy",
      summary: "Delete a policy; topics stay as they are",
      scope: "admin",
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["policy_not_found"],
    },
  ],
};
