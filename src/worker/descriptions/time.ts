/** Events for later, and events by the clock. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  DURATION,
  FLAG,
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

const CRON = shortText(200, { examples: ["30 8 * * 1-5"] });
const ZONE = shortText(64, { examples: ["Europe/Berlin"] });
const CATCH_UP = oneOfTexts("last", "all");
const FACTS = {
  name: text(),
  cron: CRON,
  timeZone: ZONE,
  topic: text(),
  startAt: orNull(TIME),
  endAt: orNull(TIME),
  paused: FLAG,
  catchUp: CATCH_UP,
  createdAt: TIME,
  next: listOf(TIME),
  last: orNull(shown({ at: TIME }, { code: text() })),
  trying: orNull(shown({ at: TIME, code: text() })),
};

export const TIME_SHAPES = {
  ScheduleDefinition: taken(
    {
      cron: CRON,
      topic: shortText(LIMITS.TOPIC_NAME_CHARS_MAX),
      event: { anyOf: [named("Draft"), named("Envelope")] },
    },
    { timeZone: ZONE, startAt: TIME, endAt: TIME, paused: FLAG, catchUp: CATCH_UP },
    {
      examples: [{ cron: "30 8 * * 1-5", timeZone: "Europe/Berlin", topic: "reports", event: { type: "report.due" } }],
    },
  ),
  ScheduleFacts: shown(FACTS),
  Schedule: shown({ ...FACTS, event: { type: "object" } }),
  ScheduledEvent: shown(
    {
      id: shortText(LIMITS.EVENT_ID_BYTES_MAX),
      deliverAt: TIME,
      partition: whole(),
      event: named("CloudEvent"),
    },
    { ttl: DURATION },
  ),
} as const;

const SCHEDULE = { "application/json": named("Schedule") };

export const TIMED: RouteGroup = {
  name: "Time",
  says: "Events that wait for their time, and schedules that publish by the clock.",
  routes: [
    {
      route: "GET /v1/topics/:topic/scheduled",
      id: "listScheduledEvents",
      summary: "List what waits for its time in a topic",
      details: "Who may only publish to the topic sees what it has scheduled itself.",
      scope: "manage or publish on the topic",
      query: LIST_QUERY,
      answers: [
        {
          status: 200,
          says: "In the order of the times.",
          content: { "application/json": pageOf(named("ScheduledEvent")) },
        },
      ],
      problems: ["cursor_invalid", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "DELETE /v1/topics/:topic/scheduled/:id",
      id: "cancelScheduledEvent",
      summary: "Take an event back before its time",
      scope: "manage on the topic; publish, for what one has scheduled oneself",
      isRepeatable: true,
      answers: [{ status: 204, says: "It will not be appended." }],
      problems: ["event_not_found", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "GET /v1/schedules",
      id: "listSchedules",
      summary: "List the schedules whose topics the credential may manage",
      details: "Without their events, and of each the next occurrence alone.",
      scope: "manage on the schedule's topic",
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("ScheduleFacts")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/schedules/:name",
      id: "getSchedule",
      summary: "Read a schedule, its next occurrences, and what became of the last one",
      scope: "manage on the schedule's topic",
      answers: [{ status: 200, says: "The schedule.", content: SCHEDULE }],
      problems: ["schedule_invalid", "schedule_not_found"],
    },
    {
      route: "PUT /v1/schedules/:name",
      id: "putSchedule",
      summary: "Publish an event whenever a cron expression says so",
      details: "Five fields, or six with seconds first, by the clocks of a time zone of the IANA database.",
      scope: "manage and publish on the topic",
      body: { "application/json": named("ScheduleDefinition") },
      isRepeatable: true,
      answers: [
        { status: 200, says: "Changed, or as it was.", content: SCHEDULE },
        { status: 201, says: "Made.", content: SCHEDULE },
      ],
      problems: ["schedule_invalid"],
    },
    {
      route: "DELETE /v1/schedules/:name",
      id: "deleteSchedule",
      summary: "Delete a schedule; what it has published stays",
      scope: "manage on the schedule's topic",
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["schedule_invalid", "schedule_not_found"],
    },
  ],
};
