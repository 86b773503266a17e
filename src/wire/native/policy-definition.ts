/** `PUT /v1/policies/{name}`. */
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isTopicPattern } from "../../core/names.ts";
import type { Result } from "../../core/result.ts";
import type { TopicPolicy } from "../../core/topic-policy.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { formatRetention, readRetention } from "./retention.ts";

const DESCRIPTION_CHARS_MAX = 1_000;

export function parsePolicy(name: string, text: string): Result<TopicPolicy> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["topics", "retention", "description"]);
  const topics = readPatterns(reader, given.get("topics"));
  const kept = given.get("retention");
  if (kept === undefined) reader.refuse("/retention", "A policy says what is kept.");
  const retention = kept === undefined ? {} : readRetention(reader, kept);
  const description = reader.text(given.get("description"), "/description", DESCRIPTION_CHARS_MAX);
  return reader.finish("policy_invalid", () => ({ name, topics, retention, description }));
}

function readPatterns(reader: DefinitionReader, raw: string | undefined): readonly string[] {
  if (raw === undefined) {
    reader.refuse("/topics", "A policy names the topics that it is for.");
    return [];
  }
  return reader.list(raw, "/topics", LIMITS.POLICY_TOPICS_MAX).map((item, index) => {
    const pattern = stringOf(item) ?? "";
    const isPattern = pattern !== "" && !pattern.startsWith("$") && isTopicPattern(pattern);
    if (!isPattern) reader.refuse(`/topics/${index}`, "This is not a topic's name or a pattern.");
    return pattern;
  });
}

export const formatPolicy = ({ name, topics, retention, description }: TopicPolicy) => ({
  name,
  topics,
  retention: formatRetention(retention),
  description,
});
