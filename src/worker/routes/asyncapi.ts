/** The app's topics and event types as AsyncAPI, as far as the credential may see them. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { allows, mayReadSchema, type Principal } from "../../core/principal.ts";
import { readSchema } from "../../core/schema-document.ts";
import { formatSchemaReference } from "../../core/schema-reference.ts";
import { SchemasStore, type SchemaRecord } from "../../store/schemas-store.ts";
import { SightingsStore } from "../../store/sightings-store.ts";
import { TopicsStore } from "../../store/topics-store.ts";
import { formatAsyncApi, type AsyncApiTopic, type AsyncApiType } from "../../wire/asyncapi/document.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { json } from "../respond.ts";
import { Validator } from "../schema-validator.ts";

export const asyncApiRoute = new Hono<HubBindings>().get("/asyncapi.json", getAsyncApi);

async function getAsyncApi(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const { app } = principal;
  const [topics, producers, versions] = await Promise.all([
    new TopicsStore(c.env.DB).list(app, "", LIMITS.LIST_ITEMS_MAX + 1),
    new SightingsStore(c.env.DB).allProducers(app, LIMITS.APP_SIGHTINGS_MAX),
    new SchemasStore(c.env.DB).newestVersions(app),
  ]);
  const typesByTopic = Map.groupBy(producers, ({ topic }) => topic);
  const shown = topics.slice(0, LIMITS.LIST_ITEMS_MAX).flatMap((topic): AsyncApiTopic[] => {
    const { name, description } = topic;
    const [receives, sends] = [allows(principal, "publish", name), allows(principal, "history", name)];
    const types = [...new Set(typesByTopic.get(name)?.map(({ type }) => type))];
    return receives || sends ? [{ name, description, receives, sends, types: sends ? types : [] }] : [];
  });
  const contracts = await readContracts(c, principal, versions);
  const seen = new Set(shown.flatMap(({ types }) => types).filter((type) => !contracts.types.has(type)));
  const unwritten = [...seen].map((type) => ({ type, contract: null, schema: null, examples: [] }));
  return json(
    formatAsyncApi({
      app: principal.appName,
      origin: new URL(c.req.url).origin,
      topics: shown,
      types: [...contracts.types.values(), ...unwritten],
      complete: topics.length <= LIMITS.LIST_ITEMS_MAX && contracts.areWhole,
    }),
  );
}

interface Contracts {
  readonly types: ReadonlyMap<string, AsyncApiType>;
  /** False: some schemas are named only. */
  readonly areWhole: boolean;
}

/** Written out as far as the budget goes; the rest by their references. */
async function readContracts(
  c: HubContext,
  principal: Principal,
  versions: ReadonlyMap<string, number>,
): Promise<Contracts> {
  const names = [...versions.keys()].filter((type) => mayReadSchema(principal, type));
  const types = new Map<string, AsyncApiType>();
  let budget: number = LIMITS.ASYNCAPI_SCHEMA_BYTES_MAX;
  for (let at = 0; at < names.length; at += SCHEMAS_PER_READ) {
    const page = names.slice(at, at + SCHEMAS_PER_READ);
    const found = budget > 0 ? await new SchemasStore(c.env.DB).newestOf(principal.app, page) : null;
    for (const type of page) {
      const record = found?.get(type) ?? null;
      budget -= record?.schema.length ?? 0;
      types.set(type, record === null || budget <= 0 ? unread(type, versions.get(type)!) : written(record));
    }
  }
  return { types, areWhole: budget > 0 };
}

const SCHEMAS_PER_READ = 50;

const unread = (type: string, version: number): AsyncApiType => ({
  type,
  contract: { version, dataschema: formatSchemaReference({ type, version }), owner: null },
  schema: null,
  examples: [],
});

function written({ type, version, owner, schema: text }: SchemaRecord): AsyncApiType {
  const schema = JSON.parse(text) as unknown;
  const contract = { version, dataschema: formatSchemaReference({ type, version }), owner };
  return { type, contract, schema, examples: goodExamples(schema) };
}

const EXAMPLES_MAX = 3;

/** Those that keep to the schema: nobody checked them when it was registered. */
function goodExamples(schema: unknown): readonly unknown[] {
  const given = typeof schema === "object" && schema !== null && "examples" in schema ? schema.examples : [];
  const read = readSchema(schema, "");
  if (!Array.isArray(given) || !read.ok) return [];
  const validator = new Validator(read.value);
  return given
    .slice(0, EXAMPLES_MAX)
    .filter((example) => validator.violations(example, JSON.stringify(example).length).length === 0);
}
