/** What the catalog shows of one event type: its contract, if it has one, and who was seen to publish and read it. */
import type { TypeConsumer } from "../../core/impact.ts";
import type { Producer, Reader } from "../../core/sighting.ts";
import { formatSchemaFacts, type SchemaFacts } from "./schema-definition.ts";

interface Seen {
  readonly producers: readonly Producer[];
  readonly readers: readonly Reader[];
}

/** `contract` null: the type has no schema, it was only seen. */
export function formatCatalogEntry(
  type: string,
  contract: (SchemaFacts & { readonly schema: string }) | null,
  consumers: readonly TypeConsumer[],
  { producers, readers }: Seen,
) {
  const schema = contract === null ? null : (JSON.parse(contract.schema) as unknown);
  const annotations = typeof schema === "object" && schema !== null ? (schema as Record<string, unknown>) : {};
  const { title = null, description = null, examples = [] } = annotations;
  const lastSeenAt = producers.reduce((last, seen) => Math.max(last, seen.lastSeenAt), 0);
  return {
    ...(contract === null ? { ...NO_CONTRACT, type } : formatSchemaFacts(contract)),
    title,
    description,
    examples,
    lastSeenAt: lastSeenAt === 0 ? null : timeOf(lastSeenAt),
    producers: producers.map(formatProducer),
    consumers,
    readers: readers.map(formatReader),
  };
}

const NO_CONTRACT = { version: null, compatibility: null, owner: null, dataschema: null, createdAt: null };

export const formatProducer = ({ topic, source, firstSeenAt, lastSeenAt }: Producer) => ({
  topic,
  source,
  firstSeenAt: timeOf(firstSeenAt),
  lastSeenAt: timeOf(lastSeenAt),
});

export const formatReader = ({ topic, key, by, lastSeenAt }: Reader) => ({
  topic,
  key,
  by,
  lastSeenAt: timeOf(lastSeenAt),
});

const timeOf = (at: number): string => new Date(at).toISOString();
