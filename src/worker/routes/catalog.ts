/** What there is in the app, for those who answer for it: its event types and who reads them, its flows. */
import { Hono } from "hono";
import { admitsType, filterFields, isWithin } from "../../core/filter-fields.ts";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import { topologyOf } from "../../core/topology.ts";
import { SchemasStore, type SchemaRecord } from "../../store/schemas-store.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { TopicsStore } from "../../store/topics-store.ts";
import { formatSchemaFacts } from "../../wire/native/schema-definition.ts";
import { formatMermaidTopology } from "../../wire/native/topology.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { json, problem } from "../respond.ts";

export const catalogRoutes = new Hono<HubBindings>().get("/catalog", getCatalog).get("/topology", getTopology);

/** Event types that have a schema, by name. With `field` each tells only of consumers that a change there concerns. */
async function getCatalog(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const field = c.req.query("field") ?? null;
  if (field !== null && !/^(\/[^/]*)+$/.test(field))
    return problem({ code: "parameter_invalid", detail: "field is a JSON Pointer into the event, as /data/total." });
  const { after, limit } = query.value;
  const { app } = c.var.principal;
  const [schemas, subscriptions] = await Promise.all([
    new SchemasStore(c.env.DB).list(app, after, limit),
    new SubscriptionsStore(c.env.DB).all(app),
  ]);
  const items = schemas.map((schema) => catalogEntry(schema, subscriptions, field));
  return json({ items, cursor: schemas.length < limit ? null : schemas.at(-1)!.type });
}

function catalogEntry(record: SchemaRecord, subscriptions: readonly SubscriptionDefinition[], field: string | null) {
  const schema = JSON.parse(record.schema) as unknown;
  const annotations = typeof schema === "object" && schema !== null ? (schema as Record<string, unknown>) : {};
  const { title = null, description = null, examples = [] } = annotations;
  const consumers = subscriptions
    .filter(({ filter }) => admitsType(filter, record.type))
    .map(({ name, filter, lifts }) => ({
      subscription: name,
      fields: filterFields(filter).filter((read) => field === null || isWithin(read, field)),
      version: lifts?.[record.type]?.version ?? null,
    }));
  const concerned = consumers.filter(({ fields }) => field === null || fields.length > 0);
  return { ...formatSchemaFacts(record), title, description, examples, consumers: concerned };
}

async function getTopology(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const { app } = c.var.principal;
  const [topics, subscriptions] = await Promise.all([
    new TopicsStore(c.env.DB).list(app, "", LIMITS.LIST_ITEMS_MAX + 1),
    new SubscriptionsStore(c.env.DB).all(app),
  ]);
  const isComplete = topics.length <= LIMITS.LIST_ITEMS_MAX;
  const topology = topologyOf(topics.slice(0, LIMITS.LIST_ITEMS_MAX), subscriptions);
  if (!(c.req.header("accept") ?? "").includes(MERMAID)) return json({ ...topology, complete: isComplete });
  const text = isComplete ? "" : `%% The first ${LIMITS.LIST_ITEMS_MAX} topics by name.\n`;
  const headers = { "content-type": `${MERMAID}; charset=utf-8` };
  return new Response(formatMermaidTopology(topology) + text, { headers });
}

const MERMAID = "text/vnd.mermaid";
