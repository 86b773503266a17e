/**
 * Which dead letters died of the same thing. What differs from one event to the next (numbers, ids) is folded away, so
 * that ten thousand deaths of one mistake are one group.
 */
import type { AttemptRecord } from "./delivery-decision.ts";

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

/** cyrb53 (public domain): two 32-bit lanes. Not secret: who answers for a target may choose its group anyway. */
function hash53(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(16).padStart(14, "0");
}
