/**
 * Drafts on their way from the Worker to a log, as one text: to clone a hundred objects between the two costs more than
 * to append what they say. A line a field, for no attribute and no JSON without whitespace holds a line break.
 */
import { assert } from "./assert.ts";
import type { EventDraft } from "./event.ts";

type Rare = Pick<EventDraft, "deliverAt" | "ttlMs" | "expectedKeyVersion">;

const FIELDS = 8;

/** What the log has no use for, `root`, is left out. */
export const formatDrafts = (drafts: readonly EventDraft[]): string => drafts.map(formatDraft).join("\n");

/** Of the fields that may be null none may be empty. */
function formatDraft(draft: EventDraft): string {
  const { id, source, type, key, time, attributes, data } = draft;
  return `${id ?? ""}\n${source}\n${type}\n${key ?? ""}\n${time ?? ""}\n${attributes}\n${data}\n${formatRare(draft)}`;
}

function formatRare({ deliverAt, ttlMs, expectedKeyVersion }: Rare): string {
  const isPlain = deliverAt === undefined && ttlMs === undefined && expectedKeyVersion === null;
  return isPlain ? "" : JSON.stringify({ deliverAt, ttlMs, expectedKeyVersion });
}

export function parseDrafts(text: string): EventDraft[] {
  const fields = text.split("\n");
  assert(fields.length % FIELDS === 0, "each draft is of so many lines");
  const drafts: EventDraft[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    drafts.push({
      id: fields[at]! || null,
      source: fields[at + 1]!,
      type: fields[at + 2]!,
      key: fields[at + 3]! || null,
      time: fields[at + 4]! || null,
      attributes: fields[at + 5]!,
      data: fields[at + 6]!,
      ...parseRare(fields[at + 7]!),
    });
  }
  return drafts;
}

const PLAIN: Rare = { expectedKeyVersion: null };

const parseRare = (text: string): Rare => (text === "" ? PLAIN : (JSON.parse(text) as Rare));
