/** What there is in an app, for those who answer for it. */
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  FLAG,
  listOf,
  mapOf,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shown,
  text,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

export const CATALOG_SHAPES = {
  CatalogEntry: {
    allOf: [
      named("SchemaFacts"),
      shown({
        title: orNull(text()),
        description: orNull(text()),
        examples: listOf(ANYTHING),
        consumers: listOf(shown({ subscription: text(), fields: listOf(text()), version: orNull(whole(1)) })),
      }),
    ],
  },
  Topology: shown({
    complete: FLAG,
    topics: listOf(shown({ name: text(), partitions: whole(1), schemaPolicy: text() })),
    flows: listOf(
      shown({
        subscription: text(),
        patterns: listOf(text()),
        topics: listOf(text()),
        fields: listOf(text()),
        target: shown({
          kind: oneOfTexts("webhook", "listener", "pull", "worker", "topic", "pusher"),
          name: text(),
        }),
      }),
    ),
  }),
} as const;

export const CATALOG: RouteGroup = {
  name: "Catalog",
  says: "Event types, who reads them, and the flows between topics and targets.",
  routes: [
    {
      route: "GET /v1/catalog",
      id: "getCatalog",
      summary: "List event types with their contracts, examples, owners and consumers",
      scope: "admin",
      query: {
        ...LIST_QUERY,
        field: { says: "A JSON Pointer into events: only consumers that read there.", shape: text({ pattern: "^/" }) },
      },
      answers: [{ status: 200, says: "By type.", content: { "application/json": pageOf(named("CatalogEntry")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/topology",
      id: "getTopology",
      summary: "Show which topics lead through which subscriptions to whom",
      details: "`Accept` chooses JSON, a flowchart of Mermaid, or Sruja's text.",
      scope: "admin",
      answers: [
        {
          status: 200,
          says: "The flows as they are defined.",
          content: {
            "application/json": named("Topology"),
            "text/vnd.mermaid": text(),
            "text/vnd.sruja": text(),
          },
        },
      ],
      problems: [],
    },
  ],
};

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
