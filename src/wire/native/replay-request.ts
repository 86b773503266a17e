/**
 * `{ "mode": "force" | "missing" | "failed", "from": from, "to"?: from, "topic"?, "partition"?, "filter"?, "dryRun"?,
 * "ratePerSecond"? }`; positions as for reads, `to` the first event behind the range.
 */
import { LIMITS } from "../../core/limits.ts";
import { parsePosition, type Position } from "../../core/position.ts";
import type { ReplayAsk, ReplayMode } from "../../core/replay.ts";
import { ok, type Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { parseFilterMember } from "./filter-member.ts";

export type ReplayRequest = Omit<ReplayAsk, "lastJob">;

const MEMBERS = ["mode", "from", "to", "topic", "partition", "filter", "dryRun", "ratePerSecond"];
const MODES: readonly ReplayMode[] = ["force", "missing", "failed"];
const PARTITIONS = { min: 0, max: LIMITS.TOPIC_PARTITIONS_MAX - 1 };
const RATE = { min: 1, max: LIMITS.REPAIR_DELIVERIES_PER_SECOND_MAX };

/** Failures: those of `parseDefinition`, `parameter_invalid`, `cursor_invalid`, `filter_invalid`. */
export function parseReplayRequest(text: string): Result<ReplayRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const mode = reader.choice(given.get("mode"), "/mode", MODES, []);
  if (!given.has("mode")) reader.refuse("/mode", "Say which: force, missing or failed.");
  if (!given.has("from")) reader.refuse("/from", "Say from where.");
  const from = readPosition(reader, given.get("from"), "/from");
  const to = readPosition(reader, given.get("to"), "/to");
  const topic = reader.text(given.get("topic"), "/topic", LIMITS.TOPIC_NAME_CHARS_MAX);
  const partition = reader.integer(given.get("partition"), "/partition", PARTITIONS);
  const dryRun = reader.boolean(given.get("dryRun"), "/dryRun") ?? false;
  const ratePerSecond = reader.integer(given.get("ratePerSecond"), "/ratePerSecond", RATE);
  const filter = parseFilterMember(given.get("filter"));
  for (const part of [from, to, filter]) if (!part.ok && reader.errors.length === 0) return part;
  return reader.finish("parameter_invalid", () => ({
    mode: mode!,
    from: valueOf(from),
    to: valueOf(to),
    topic,
    partition,
    filter: valueOf(filter),
    dryRun,
    ratePerSecond,
  }));
}

/** What is not there is `latest`: up to now. */
function readPosition(reader: DefinitionReader, raw: string | undefined, pointer: string): Result<Position> {
  const text = reader.text(raw, pointer, LIMITS.URL_CHARS_MAX);
  return text === null ? ok({ kind: "latest" }) : parsePosition(text);
}

/** Of a part that the caller has made sure of. */
const valueOf = <T>(part: Result<T>): T => (part as Extract<Result<T>, { ok: true }>).value;
