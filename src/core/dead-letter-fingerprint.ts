/**
 * Which dead letters died of the same thing. What differs from one event to the next (numbers, ids) is folded away, so
 * that ten thousand deaths of one mistake are one group.
 */
import type { AttemptRecord } from "./delivery-decision.ts";
import { hash53 } from "./hash53.ts";

/** How much of an answer is told apart: what comes behind it is mostly traces. */
const EXCERPT_CHARS_MAX = 500;

/** 14 hex digits, the same for deaths alike in reason, status, error and folded excerpt. `last` is the last attempt. */
export function deadLetterFingerprint(reason: string, last: AttemptRecord | undefined): string {
  const { status = null, error = null, excerpt = "" } = last ?? {};
  return hash53(JSON.stringify([reason, status, error, foldExcerpt(excerpt)]));
}

/** What the target said, without what is of this one event. */
export function foldExcerpt(excerpt: string): string {
  return excerpt
    .slice(0, EXCERPT_CHARS_MAX)
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi, "<uuid>")
    .replaceAll(/\b(?=[a-z]*[0-9])[0-9a-z]{16,}\b/gi, "<id>")
    .replaceAll(/[0-9]+(?:[.,:][0-9]+)*/g, "<n>")
    .replaceAll(/\s+/g, " ")
    .trim();
}
