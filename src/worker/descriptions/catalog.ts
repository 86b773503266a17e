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
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const FIELD = { says: "A JSON Pointer into the event, as /data/total.", shape: text({ pattern: "^/" }) };
const FIELDS = listOf(text());
const PRODUCERS = listOf(shown({ topic: text(), source: text(), firstSeenAt: TIME, lastSeenAt: TIME }));
const READERS = listOf(
  shown({ topic: text(), key: text(), by: oneOfTexts("page", "stream", "socket"), lastSeenAt: TIME }),
);

export const CATALOG_SHAPES = {
  CatalogEntry: shown({
    type: text(),
    version: orNull(whole(1)),
    compatibility: orNull(text()),
    owner: orNull(text()),
    dataschema: orNull(text()),
    createdAt: orNull(TIME),
    title: ANYTHING,
    description: ANYTHING,
    examples: ANYTHING,
    lastSeenAt: orNull(TIME),
    producers: PRODUCERS,
    consumers: listOf(shown({ subscription: text(), fields: FIELDS, version: orNull(whole(1)) })),
    readers: READERS,
  }),
  Impact: shown({
    type: text(),
    field: text(),
    filters: listOf(shown({ subscription: text(), fields: FIELDS })),
    pins: listOf(shown({ subscription: text(), version: whole(1) })),
    upcasts: listOf(shown({ version: whole(1), steps: listOf(text()) })),
    consumers: listOf(text()),
    producers: PRODUCERS,
    readers: READERS,
  }),
  Topology: shown({
    complete: FLAG,
    producers: listOf(shown({ source: text(), topics: listOf(text()) })),
    topics: listOf(shown({ name: text(), partitions: whole(1), schemaPolicy: text() })),
    flows: listOf(
      shown({
        subscription: text(),
        patterns: listOf(text()),
        topics: listOf(text()),
        fields: FIELDS,
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
      summary: "List event types with their contracts, examples, owners, and who publishes and reads them",
      details: "Types that have a schema or were seen. What was seen is known to within an hour, for 30 days.",
      scope: "admin",
      query: { ...LIST_QUERY, field: { ...FIELD, says: `${FIELD.says} Only consumers that read there.` } },
      answers: [{ status: 200, says: "By type.", content: { "application/json": pageOf(named("CatalogEntry")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/catalog/:type/impact",
      id: "getImpact",
      summary: "Ask who breaks if a field of an event type changes",
      details:
        "Filters that read it, targets that have events lifted, upcasts that touch it; and who publishes and reads.",
      scope: "admin",
      query: { field: { ...FIELD, says: `${FIELD.says} The whole payload without it.` } },
      answers: [{ status: 200, says: "Whom it concerns.", content: { "application/json": named("Impact") } }],
      problems: ["schema_not_found"],
    },
    {
      route: "GET /v1/asyncapi.json",
      id: "getAsyncApi",
      summary: "Read the app's topics and event types as AsyncAPI 3.0",
      scope: "any; topics to publish or history, schemas to history, subscribe or manage",
      answers: [{ status: 200, says: "AsyncAPI 3.0.", content: { "application/json": mapOf(ANYTHING) } }],
      problems: [],
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
