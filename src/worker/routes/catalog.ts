/** What there is in the app, for those who answer for it: its event types, who is concerned by them, its flows. */
import { Hono } from "hono";
import { concernedBy, consumersOf, stepsAt, type TypeConsumer } from "../../core/impact.ts";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Producer, Reader } from "../../core/sighting.ts";
import { topologyOf, type Topology } from "../../core/topology.ts";
import { CatalogStore } from "../../store/catalog-store.ts";
import { SchemasStore } from "../../store/schemas-store.ts";
import { SightingsStore } from "../../store/sightings-store.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { TopicsStore } from "../../store/topics-store.ts";
import { formatCatalogEntry, formatProducer, formatReader } from "../../wire/native/catalog.ts";
import { formatSrujaTopology } from "../../wire/native/sruja.ts";
import { formatMermaidTopology } from "../../wire/native/topology.ts";
import { storedUpcast } from "../../wire/native/upcast-definition.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { json, problem } from "../respond.ts";

export const catalogRoutes = new Hono<HubBindings>()
  .get("/catalog", getCatalog)
  .get("/catalog/:type/impact", getImpact)
  .get("/topology", getTopology);

/** Event types that have a schema or were seen, by name. With `field`, only consumers that a change there concerns. */
async function getCatalog(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const field = readField(c);
  if (!field.ok) return problem(field.failure);
  const { after, limit } = query.value;
  const { app } = c.var.principal;
  const types = await new CatalogStore(c.env.DB).types(app, after, Math.min(limit, LIMITS.CATALOG_TYPES_MAX));
  const [schemas, subscriptions, producers] = await Promise.all([
    new SchemasStore(c.env.DB).newestOf(app, types),
    new SubscriptionsStore(c.env.DB).all(app),
    new SightingsStore(c.env.DB).producers(app, types),
  ]);
  const topics = [...new Set(producers.map(({ topic }) => topic))];
  const readers = await new SightingsStore(c.env.DB).readers(app, topics);
  const items = types.map((type) => {
    const consumers = consumersOf(type, subscriptions);
    const concerned = field.value === null ? consumers : concernedBy(field.value, consumers);
    return formatCatalogEntry(type, schemas.get(type) ?? null, concerned, seenOf(type, producers, readers));
  });
  return json({ items, cursor: types.length < Math.min(limit, LIMITS.CATALOG_TYPES_MAX) ? null : types.at(-1)! });
}

interface Seen {
  readonly producers: readonly Producer[];
  readonly readers: readonly Reader[];
}

/** Readers of the topics in which the type was seen. */
function seenOf(type: string, allProducers: readonly Producer[], allReaders: readonly Reader[]): Seen {
  const producers = allProducers.filter((producer) => producer.type === type);
  const topics = new Set(producers.map(({ topic }) => topic));
  return { producers, readers: allReaders.filter(({ topic }) => topics.has(topic)) };
}

/** Null without the parameter. */
function readField(c: HubContext): Result<string | null> {
  const field = c.req.query("field");
  if (field === undefined) return ok(null);
  const isPointer = /^(\/[^/]*)+$/.test(field) && field.length <= LIMITS.URL_CHARS_MAX;
  return isPointer ? ok(field) : fail("parameter_invalid", "field is a JSON Pointer into the event, as /data/total.");
}

/** Who breaks if this field changes. */
async function getImpact(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const type = c.req.param("type")!;
  const field = readField(c);
  if (!field.ok) return problem(field.failure);
  const { app } = c.var.principal;
  const at = field.value ?? "/data";
  const [upcasts, subscriptions, producers] = await Promise.all([
    new SchemasStore(c.env.DB).upcasts(app, type),
    new SubscriptionsStore(c.env.DB).all(app),
    new SightingsStore(c.env.DB).producers(app, [type]),
  ]);
  if (upcasts.length === 0 && producers.length === 0) return problem({ code: "schema_not_found" });
  const readers = await new SightingsStore(c.env.DB).readers(app, [...new Set(producers.map(({ topic }) => topic))]);
  const consumers = consumersOf(type, subscriptions);
  return json({
    type,
    field: at,
    filters: concernedBy(at, consumers).map(({ subscription, fields }) => ({ subscription, fields })),
    pins: consumers.filter(isPinned).map(({ subscription, version }) => ({ subscription, version })),
    upcasts: upcasts.flatMap((upcast, index) => {
      const steps = upcast === null ? [] : stepsAt(at, storedUpcast(upcast));
      return steps.length === 0 ? [] : [{ version: index + 1, steps }];
    }),
    consumers: consumers.map(({ subscription }) => subscription),
    producers: producers.map(formatProducer),
    readers: readers.map(formatReader),
  });
}

const isPinned = ({ version }: TypeConsumer): boolean => version !== null;

async function getTopology(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const { app } = c.var.principal;
  const [topics, subscriptions, producers] = await Promise.all([
    new TopicsStore(c.env.DB).list(app, "", LIMITS.LIST_ITEMS_MAX + 1),
    new SubscriptionsStore(c.env.DB).all(app),
    new SightingsStore(c.env.DB).allProducers(app, LIMITS.LIST_ITEMS_MAX),
  ]);
  const isComplete = topics.length <= LIMITS.LIST_ITEMS_MAX;
  const topology = topologyOf(topics.slice(0, LIMITS.LIST_ITEMS_MAX), subscriptions, producers);
  const drawing = DRAWINGS.find(({ type }) => (c.req.header("accept") ?? "").includes(type));
  if (drawing === undefined) return json({ ...topology, complete: isComplete });
  const rest = isComplete ? "" : `${drawing.comment} The first ${LIMITS.LIST_ITEMS_MAX} topics by name.\n`;
  const headers = { "content-type": `${drawing.type}; charset=utf-8` };
  return new Response(drawing.format(topology) + rest, { headers });
}

interface Drawing {
  readonly type: string;
  readonly comment: string;
  format(topology: Topology): string;
}

const DRAWINGS: readonly Drawing[] = [
  { type: "text/vnd.mermaid", comment: "%%", format: formatMermaidTopology },
  { type: "text/vnd.sruja", comment: "//", format: formatSrujaTopology },
];
