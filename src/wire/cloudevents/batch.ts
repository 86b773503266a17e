/**
 * `application/cloudevents-batch+json`: a list of events, perhaps of none, appended all or not at all (JSON event
 * format 1.0, §4).
 */
import type { DraftDefaults } from "../../core/draft-builder.ts";
import { listJsonLimits, readDraftList } from "../../core/draft-list.ts";
import type { EventDraft } from "../../core/event.ts";
import { cutElements, isListText, parseJson } from "../../core/json-text.ts";
import { fail, type Result } from "../../core/result.ts";
import { readStructured } from "./structured.ts";

const BATCH_LIMITS = listJsonLimits(1); // The list stands around each event.

export function parseBatch(text: string, defaults: DraftDefaults): Result<EventDraft[]> {
  const parsed = parseJson(text, BATCH_LIMITS);
  if (!parsed.ok) return parsed;
  const { tight } = parsed.value;
  if (!isListText(tight)) return fail("event_invalid", "A batch is a list of CloudEvents.");
  return readDraftList(cutElements(tight), parsed.value, (event, index) =>
    readStructured(event, `/${index}`, defaults),
  );
}
