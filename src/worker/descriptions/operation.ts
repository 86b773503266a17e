/** What an operator asks of the hub itself. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  listOf,
  mapOf,
  named,
  oneOfTexts,
  orNull,
  shown,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";

export const OPERATION_SHAPES = {
  Overview: shown(
    {
      app: text(),
      at: TIME,
      topics: shown({
        total: whole(),
        limit: whole(),
        items: listOf(
          shown({
            name: text(),
            partitions: whole(1),
            events: whole(),
            bytes: whole(),
            stored: shown({ partition: whole(), bytes: whole(), limit: whole() }),
          }),
        ),
        leftOut: whole(),
      }),
      subscriptions: shown({
        total: whole(),
        limit: whole(),
        items: listOf(
          shown({
            name: text(),
            target: text(),
            state: oneOfTexts("active", "paused", "disabled"),
            breaker: text(),
            lag: whole(),
            owed: whole(),
            inFlight: whole(),
            dead: whole(),
            oldestOwedAt: orNull(TIME),
          }),
        ),
        leftOut: whole(),
      }),
      connections: orNull(
        shown(
          { sockets: whole(), limit: orNull(whole()), users: whole(), hubs: whole() },
          {},
          { description: "A user who is connected to several hubs counts in each." },
        ),
      ),
      channels: orNull(
        shown({
          items: listOf(shown({ name: text(), subscriptions: whole() }), { maxItems: LIMITS.OVERVIEW_CHANNELS_MAX }),
          more: { type: "boolean" },
        }),
      ),
      operations: orNull(
        listOf(shown({ type: text(), subject: text(), time: TIME, data: ANYTHING }), {
          maxItems: LIMITS.OVERVIEW_EVENTS_MAX,
        }),
      ),
      unreached: whole(),
    },
    {},
    { description: "Its parts are of slightly different moments; one that is null could not be reached." },
  ),
} as const;

export const OPERATION: RouteGroup = {
  name: "Operation",
  says: "What an operator or a machine asks of the hub itself.",
  routes: [
    {
      route: "GET /healthz",
      id: "getHealth",
      summary: "Learn that the Worker runs",
      scope: "none",
      access: "open",
      answers: [
        { status: 200, says: "It runs.", content: { "application/json": shown({ status: text({ const: "ok" }) }) } },
      ],
      problems: [],
    },
    {
      route: "GET /metrics",
      id: "getMetrics",
      summary: "Read every metric, as Prometheus scrapes it",
      details: "The root key sees all apps, or the one that `Tidings-App` names; an app's admin its own.",
      scope: "admin",
      answers: [{ status: 200, says: "Prometheus' text format.", content: { "text/plain": text() } }],
      problems: [],
    },
    {
      route: "GET /v1/overview",
      id: "getOverview",
      summary: "See at a glance how the app stands",
      details:
        "At most some seconds old. It asks so many objects, by name, and says what is left out and who did not answer.",
      scope: "admin",
      answers: [{ status: 200, says: "How it stands.", content: { "application/json": named("Overview") } }],
      problems: [],
    },
    {
      route: "GET /v1/openapi.json",
      id: "getOpenApi",
      summary: "Read this document",
      scope: "none",
      access: "open",
      answers: [{ status: 200, says: "OpenAPI 3.1.", content: { "application/json": mapOf(ANYTHING) } }],
      problems: [],
    },
    {
      route: "GET /v1/limits",
      id: "getLimits",
      summary: "Read every limit of the hub",
      scope: "any",
      answers: [{ status: 200, says: "By name.", content: { "application/json": mapOf(whole()) } }],
      problems: [],
    },
  ],
};
