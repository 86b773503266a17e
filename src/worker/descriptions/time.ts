/** Events for later. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import { DURATION, named, pageOf, shortText, shown, TIME, whole } from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

export const TIME_SHAPES = {
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

export const TIMED: RouteGroup = {
  name: "Time",
  says: "Events that wait for their time.",
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
  ],
};
