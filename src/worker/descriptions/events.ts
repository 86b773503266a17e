/** Publishing and reading. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import { DURATION, FLAG, listOf, named, shown, text, whole } from "../../wire/openapi/shapes.ts";
import { DRAFTS, POSITION } from "./event-shapes.ts";

const RECEIPTS = shown({ events: listOf(named("Receipt")) }, { sync: listOf(named("SyncOutcome")) });
const PARTITION = { says: "One partition, by its number.", shape: whole(0, LIMITS.TOPIC_PARTITIONS_MAX - 1) };

export const EVENTS: RouteGroup = {
  name: "Events",
  says: "Events of a topic: published in every form, read in pages, by long poll and as a stream.",
  routes: [
    {
      route: "POST /v1/topics/:topic/events",
      id: "publishEvents",
      summary: "Append events to a topic, in order and at once",
      details:
        "A topic that is not there is made. A 2xx means that the events are durable. A CloudEvent may also come in " +
        "binary form: its attributes in `ce-` headers, any body.",
      scope: "publish on the topic",
      query: { partition: PARTITION },
      headers: {
        "If-Match": { says: "The partition's last offset, in quotes: else nothing is appended.", shape: text() },
        traceparent: { says: "W3C Trace Context; it is kept with the events.", shape: text() },
        tracestate: { says: "Likewise, beside a traceparent.", shape: text() },
      },
      body: {
        "application/json": DRAFTS,
        "application/cloudevents+json": named("CloudEvent"),
        "application/cloudevents-batch+json": listOf(named("CloudEvent")),
        "application/x-ndjson": text({ description: "A draft a line, any number of lines." }),
      },
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "Every event was here already; or, for NDJSON, a receipt or a problem for each line.",
          content: { "application/json": RECEIPTS, "application/x-ndjson": text() },
        },
        { status: 201, says: "Appended.", content: { "application/json": RECEIPTS } },
      ],
      problems: [
        "body_incomplete",
        "event_id_conflict",
        "event_invalid",
        "event_too_large",
        "index_required",
        "partition_required",
        "schema_violation",
        "too_many_scheduled",
        "topic_full",
        "topic_name_invalid",
        "topic_not_found",
        "topic_reserved",
        "version_conflict",
      ],
    },
    {
      route: "GET /v1/topics/:topic/events",
      id: "readEvents",
      summary: "Read a topic from any place on, wait for what is next, or follow it",
      details:
        "With `Accept: text/event-stream` the events go on for as long as the reader stays; each id is a cursor.",
      scope: "history on the topic; to wait or follow, subscribe",
      access: "live",
      query: {
        from: { says: "Where to begin; earliest without it.", shape: POSITION },
        limit: { says: "Events of one page.", shape: whole(1, LIMITS.PAGE_EVENTS_MAX) },
        partition: PARTITION,
        key: { says: "The events of one key alone.", shape: text() },
        type: { says: "The events of one type alone.", shape: text() },
        filter: { says: "A content filter, as JSON.", shape: text() },
        wait: { says: "How long to wait for a first event, up to 30s.", shape: DURATION },
        schemas: { says: 'Versions to lift events to, as JSON: {"order.created":3}.', shape: text() },
      },
      headers: { "Last-Event-ID": { says: "A cursor; it wins over `from`.", shape: text() } },
      answers: [
        {
          status: 200,
          says: "A page, or a stream.",
          content: {
            "application/json": shown(
              { events: listOf(named("Event")), cursor: text(), caughtUp: FLAG },
              { gap: named("Gap"), keyVersion: whole() },
            ),
            "application/vnd.tidings.envelope+json": shown(
              { events: listOf(named("Envelope")), cursor: text(), caughtUp: FLAG },
              { gap: named("Gap") },
            ),
            "text/event-stream": text(),
          },
        },
      ],
      problems: [
        "cursor_invalid",
        "filter_invalid",
        "index_required",
        "json_invalid",
        "json_too_deep",
        "json_too_many_keys",
        "lift_unavailable",
        "partition_required",
        "schema_not_found",
        "topic_name_invalid",
        "topic_not_found",
      ],
    },
    {
      route: "GET /v1/events/:id",
      id: "getEvent",
      summary: "Read one event by its id",
      scope: "history on the topic",
      query: { topic: { says: "The topic that holds it.", shape: text(), isRequired: true } },
      answers: [
        {
          status: 200,
          says: "The event.",
          content: {
            "application/json": named("Event"),
            "application/vnd.tidings.envelope+json": named("Envelope"),
          },
        },
      ],
      problems: ["event_not_found", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "GET /v1/events/:id/trace",
      id: "traceEvent",
      summary: "Read what became of one event in each subscription",
      details: "`Accept: text/vnd.mermaid` gives it as a sequence diagram.",
      scope: "history on the topic; each subscription is shown to who may manage it",
      query: { topic: { says: "The topic that holds it.", shape: text(), isRequired: true } },
      answers: [
        {
          status: 200,
          says: "Its story.",
          content: { "application/json": named("EventStory"), "text/vnd.mermaid": text() },
        },
      ],
      problems: ["event_not_found", "topic_name_invalid", "topic_not_found"],
    },
  ],
};
