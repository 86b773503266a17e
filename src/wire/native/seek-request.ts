/** `{ "to": from, "topic"?, "partition"?, "dryRun"? }`; `from` as for reads. */
import { LIMITS } from "../../core/limits.ts";
import { parsePosition, type Position } from "../../core/position.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface SeekRequest {
  readonly to: Position;
  /** Null: all that the subscription follows. */
  readonly topic: string | null;
  readonly partition: number | null;
  readonly dryRun: boolean;
}

const PARTITIONS = { min: 0, max: LIMITS.TOPIC_PARTITIONS_MAX - 1 };

/** Failures: those of `parseDefinition`, `parameter_invalid`, `cursor_invalid`. */
export function parseSeekRequest(text: string): Result<SeekRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["to", "topic", "partition", "dryRun"]);
  if (!given.has("to")) reader.refuse("/to", "Say where to.");
  const to = reader.text(given.get("to"), "/to", LIMITS.URL_CHARS_MAX);
  const topic = reader.text(given.get("topic"), "/topic", LIMITS.TOPIC_NAME_CHARS_MAX);
  const partition = reader.integer(given.get("partition"), "/partition", PARTITIONS);
  const dryRun = reader.boolean(given.get("dryRun"), "/dryRun") ?? false;
  const position = to === null ? null : parsePosition(to);
  if (position?.ok === false && reader.errors.length === 0) return position;
  return reader.finish("parameter_invalid", () => {
    const { value } = position as Extract<typeof position, { ok: true }>;
    return { to: value, topic, partition, dryRun };
  });
}
