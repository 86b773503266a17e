/** Spans of this isolate, until they are exported (delivery/export-spans.ts). What finds no room is dropped. */
import { LIMITS } from "../core/limits.ts";
import type { Span } from "../core/span.ts";

let spans: Span[] = [];

export function recordSpan(span: Span): void {
  if (spans.length < LIMITS.TRACE_SPANS_MAX) spans.push(span);
}

export function takeSpans(): readonly Span[] {
  const taken = spans;
  spans = [];
  return taken;
}

export const areSpansWaiting = (): boolean => spans.length > 0;
