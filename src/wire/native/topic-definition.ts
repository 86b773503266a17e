/** `PUT /v1/topics/{topic}` and what `GET` answers for it. */
import { formatDuration } from "../../core/duration.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { Retention } from "../../core/retention.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface TopicRequest {
  /** Fixed when the topic is made; null: as it is, or 1. */
  readonly partitions: number | null;
  /** Fixed when the topic is made; null: as it is, or `none`. */
  readonly index: TopicIndexName | null;
  readonly retention: Retention;
  /** Whether events are held against the schemas of their types; null: as it is, or `off`. */
  readonly schemaPolicy: SchemaPolicyName | null;
  readonly description: string | null;
}

export type SchemaPolicyName = "off" | "warn" | "enforce";

export type TopicIndexName = "none" | "version" | "key";

/** What binds a topic whose definition does not speak of retention. */
export const DEFAULT_RETENTION: Retention = { maxAgeMs: LIMITS.RETENTION_AGE_MS_DEFAULT };

const MEMBERS = ["partitions", "retention", "index", "schemaPolicy", "description"];
const COUNT = { min: 1, max: Number.MAX_SAFE_INTEGER };
const AGE_MS = { min: LIMITS.RETENTION_AGE_MS_MIN, max: Number.MAX_SAFE_INTEGER };
const DESCRIPTION_CHARS_MAX = 1_000;

export function parseTopicDefinition(text: string): Result<TopicRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const range = { min: 1, max: LIMITS.TOPIC_PARTITIONS_MAX };
  const partitions = reader.integer(given.get("partitions"), "/partitions", range);
  const index = reader.choice(given.get("index"), "/index", ["none", "version", "key"], []);
  const retention = readRetention(reader, given.get("retention"));
  const schemaPolicy = reader.choice(given.get("schemaPolicy"), "/schemaPolicy", ["off", "warn", "enforce"], []);
  const description = reader.text(given.get("description"), "/description", DESCRIPTION_CHARS_MAX);
  return reader.finish("topic_invalid", () => ({ partitions, index, retention, schemaPolicy, description }));
}

function readRetention(reader: DefinitionReader, raw: string | undefined): Retention {
  if (raw === undefined) return DEFAULT_RETENTION;
  const given = reader.object(raw, "/retention", ["maxAge", "maxEvents", "maxBytes"]);
  const maxAgeMs = reader.durationMs(given.get("maxAge"), "/retention/maxAge", AGE_MS);
  const maxEvents = reader.integer(given.get("maxEvents"), "/retention/maxEvents", COUNT);
  const maxBytes = reader.integer(given.get("maxBytes"), "/retention/maxBytes", COUNT);
  return {
    ...(maxAgeMs !== null && { maxAgeMs }),
    ...(maxEvents !== null && { maxEvents }),
    ...(maxBytes !== null && { maxBytes }),
  };
}

export interface TopicDefinition {
  readonly name: string;
  readonly partitions: number;
  readonly index: TopicIndexName;
  readonly retention: Retention;
  readonly schemaPolicy: SchemaPolicyName;
  readonly description: string | null;
}

/** What GET answers; the definition's part of it can be PUT again. */
export interface TopicView {
  readonly name: string;
  readonly partitions: number;
  readonly retention: { readonly maxAge?: string; readonly maxEvents?: number; readonly maxBytes?: number };
  readonly index: TopicIndexName;
  readonly schemaPolicy: SchemaPolicyName;
  readonly description: string | null;
}

export function formatTopic(topic: TopicDefinition): TopicView {
  const { name, partitions, index, retention, schemaPolicy, description } = topic;
  const { maxAgeMs, ...bounds } = retention;
  const maxAge = maxAgeMs === undefined ? {} : { maxAge: formatDuration(maxAgeMs) };
  return { name, partitions, retention: { ...maxAge, ...bounds }, index, schemaPolicy, description };
}
