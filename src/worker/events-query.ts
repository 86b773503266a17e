/** The query of a read: where from, how much, which events, and how long to wait for them. */
import { parseCursor } from "../core/cursor.ts";
import { compileFilter } from "../core/filter.ts";
import { parseFilter, type FilterPattern } from "../core/filter-pattern.ts";
import { parseJson } from "../core/json-text.ts";
import { LIMITS } from "../core/limits.ts";
import { parsePosition, type Position } from "../core/position.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { DefinitionReader } from "../wire/native/definition-reader.ts";
import { readPins, type SchemaPins } from "../wire/native/schema-pins.ts";
import type { HubContext } from "./context.ts";
import { readWait, readWhole } from "./list-query.ts";
import type { EventsQuery } from "./read-events.ts";

export interface LiveQuery extends EventsQuery {
  readonly waitMs: number;
  /** What the filter was made of, for a hub that compiles its own; null: no filter. */
  readonly pattern: FilterPattern | null;
  /** The versions that events are lifted to. */
  readonly pins: SchemaPins;
}

export function readEventsQuery(c: HubContext): Result<LiveQuery> {
  const from = readFrom(c);
  if (!from.ok) return from;
  const eventsMax = readWhole(c, "limit", 1, LIMITS.PAGE_EVENTS_MAX);
  if (!eventsMax.ok) return eventsMax;
  const partition = readWhole(c, "partition", 0, LIMITS.TOPIC_PARTITIONS_MAX - 1);
  if (!partition.ok) return partition;
  const waitMs = readWait(c);
  if (!waitMs.ok) return waitMs;
  const pattern = readPattern(c);
  if (!pattern.ok) return pattern;
  const pins = readPinsParameter(c.req.query("schemas"));
  if (!pins.ok) return pins;
  return ok({
    from: from.value,
    eventsMax: eventsMax.value ?? LIMITS.PAGE_EVENTS_DEFAULT,
    partition: partition.value,
    key: c.req.query("key") ?? null,
    waitMs: waitMs.value,
    pattern: pattern.value,
    pins: pins.value,
    filter: compileFilter(pattern.value),
  });
}

/** An EventSource that reconnects says where it was in Last-Event-ID, which is a cursor and wins over `from`. */
function readFrom(c: HubContext): Result<Position> {
  const lastEventId = c.req.header("last-event-id");
  if (lastEventId === undefined || lastEventId === "") return parsePosition(c.req.query("from") ?? "earliest");
  const cursor = parseCursor(lastEventId);
  return cursor === null ? fail("cursor_invalid") : ok({ kind: "cursor", cursor });
}

function readPattern(c: HubContext): Result<FilterPattern | null> {
  const text = c.req.query("filter");
  const given = text === undefined ? ok(null) : parseFilterParameter(text);
  const type = c.req.query("type");
  if (!given.ok || type === undefined) return given;
  if (given.value?.["type"] !== undefined) return fail("parameter_invalid", "The type stands in the filter already.");
  return ok({ ...given.value, type: [type] });
}

/** The text of a filter that stands in an address. */
export function parseFilterParameter(text: string): Result<FilterPattern> {
  if (text.length > LIMITS.FILTER_BYTES_MAX)
    return fail("filter_invalid", undefined, { limit: LIMITS.FILTER_BYTES_MAX, actual: text.length });
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  return parsed.ok ? parseFilter(parsed.value.value) : parsed;
}

function readPinsParameter(text: string | undefined): Result<SchemaPins> {
  if (text === undefined) return ok(new Map());
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  if (!parsed.ok) return parsed;
  const reader = new DefinitionReader();
  const pins = readPins(reader, text.trim(), "");
  return reader.finish("parameter_invalid", () => pins);
}
