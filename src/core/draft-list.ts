/** Several events in one request: what holds for each of them, in whatever protocol they are written. */
import { joinDrafts } from "./draft-builder.ts";
import type { EventDraft } from "./event.ts";
import { scanJson, type JsonElement, type JsonLimits, type JsonScan } from "./json-text.ts";
import { LIMITS } from "./limits.ts";
import { fail, type Result } from "./result.ts";

export const EVENT_JSON_LIMITS: JsonLimits = { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX };

/** For the text that holds them all; so many levels stand around each event. */
export const listJsonLimits = (wrapperDepth: number): JsonLimits => ({
  depthMax: LIMITS.JSON_DEPTH_MAX,
  keysMax: LIMITS.JSON_KEYS_MAX * LIMITS.REQUEST_EVENTS_MAX,
  wrapperDepth,
});

/** All drafts are good, or the refusal names what is wrong with each. `whole`: what a scan of all of them has found. */
export function readDraftList(
  found: readonly JsonElement[],
  whole: JsonScan,
  read: (element: JsonElement, index: number) => Result<EventDraft>,
): Result<EventDraft[]> {
  const { REQUEST_EVENTS_MAX: limit, JSON_KEYS_MAX, JSON_DEPTH_MAX } = LIMITS;
  if (found.length > limit) {
    const actual = found.length;
    return fail("body_too_large", "There are more events than a request may bring.", { limit, actual });
  }
  const isToMeasure = whole.keys > JSON_KEYS_MAX || whole.depth > JSON_DEPTH_MAX; // Alone, each may be within.
  const readOne = (element: JsonElement, index: number): Result<EventDraft> => {
    const scan = isToMeasure ? scanJson(element.raw, EVENT_JSON_LIMITS) : null;
    return scan === null || scan.ok ? read(element, index) : scan;
  };
  return joinDrafts(found.map(readOne));
}
