/**
 * `application/cloudevents-batch+json`: a list of events, perhaps of none, appended all or not at all (JSON event
 * format 1.0, §4).
 */
import { joinDrafts, type DraftDefaults } from "../../core/draft-builder.ts";
import type { EventDraft } from "../../core/event.ts";
import { elements, isListText, parseJson, scanJson } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, type Result } from "../../core/result.ts";
import { readStructured } from "./structured.ts";

const EVENT_LIMITS = { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX };
const BATCH_LIMITS = {
  ...EVENT_LIMITS,
  keysMax: LIMITS.JSON_KEYS_MAX * LIMITS.REQUEST_EVENTS_MAX,
  wrapperDepth: 1, // The list stands around each event.
};

export function parseBatch(text: string, defaults: DraftDefaults): Result<EventDraft[]> {
  const parsed = parseJson(text, BATCH_LIMITS);
  if (!parsed.ok) return parsed;
  if (!isListText(text.trim())) return fail("event_invalid", "A batch is a list of CloudEvents.");
  const raws = elements(text);
  if (raws.length > LIMITS.REQUEST_EVENTS_MAX) {
    return fail("body_too_large", "There are more events than a request may bring.", {
      limit: LIMITS.REQUEST_EVENTS_MAX,
      actual: raws.length,
    });
  }
  const { keys, depth } = parsed.value;
  const isToMeasure = keys > LIMITS.JSON_KEYS_MAX || depth > LIMITS.JSON_DEPTH_MAX; // Alone, each may be within.
  return joinDrafts(
    raws.map((raw, index) => {
      const scan = isToMeasure ? scanJson(raw, EVENT_LIMITS) : parsed;
      return scan.ok ? readStructured(raw, `/${index}`, defaults) : scan;
    }),
  );
}
