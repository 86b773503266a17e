/** `PUT /v1/topics/{topic}` and what `GET` answers for it. */
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { Retention } from "../../core/retention.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { formatRetention, readRetention, type RetentionView } from "./retention.ts";

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
const DESCRIPTION_CHARS_MAX = 1_000;

export function parseTopicDefinition(text: string): Result<TopicRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const range = { min: 1, max: LIMITS.TOPIC_PARTITIONS_MAX };
  const partitions = reader.integer(given.get("partitions"), "/partitions", range);
  const index = reader.choice(given.get("index"), "/index", ["none", "version", "key"], []);
  const kept = given.get("retention");
  const retention = kept === undefined ? DEFAULT_RETENTION : readRetention(reader, kept);
  const schemaPolicy = reader.choice(given.get("schemaPolicy"), "/schemaPolicy", ["off", "warn", "enforce"], []);
  const description = reader.text(given.get("description"), "/description", DESCRIPTION_CHARS_MAX);
  return reader.finish("topic_invalid", () => ({ partitions, index, retention, schemaPolicy, description }));
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
  readonly retention: RetentionView;
  readonly index: TopicIndexName;
  readonly schemaPolicy: SchemaPolicyName;
  readonly description: string | null;
}

export function formatTopic(topic: TopicDefinition): TopicView {
  const { name, partitions, index, retention, schemaPolicy, description } = topic;
  return { name, partitions, retention: formatRetention(retention), index, schemaPolicy, description };
}
