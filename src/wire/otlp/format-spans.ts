/**
 * Spans as OTLP/HTTP takes them in JSON (OTLP 1.x, "JSON Protobuf Encoding"): ids as hexadecimal digits, times as
 * decimal strings of nanoseconds, enumerations as numbers, names in lowerCamelCase.
 */
import type { Span } from "../../core/span.ts";

export const OTLP_TRACES_PATH = "/v1/traces";

/** An ExportTraceServiceRequest. */
export function formatSpans(spans: readonly Span[], version: string): string {
  const resource = { attributes: attributesOf({ "service.name": "tidings", "service.version": version }) };
  const scopeSpans = [{ scope: { name: "tidings", version }, spans: spans.map(formatSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
}

const KINDS: Readonly<Record<Span["kind"], number>> = { producer: 4, consumer: 5 };
const STATUS_ERROR = 2;

const formatSpan = ({ traceId, spanId, parentId, name, kind, startedAt, endedAt, attributes, error }: Span) => ({
  traceId,
  spanId,
  ...(parentId !== null && { parentSpanId: parentId }),
  name,
  kind: KINDS[kind],
  startTimeUnixNano: nanoseconds(startedAt),
  endTimeUnixNano: nanoseconds(endedAt),
  attributes: attributesOf(attributes),
  status: error === null ? {} : { code: STATUS_ERROR, message: error },
});

const nanoseconds = (milliseconds: number): string => `${Math.floor(milliseconds)}000000`;

/** Whole numbers are 64-bit integers, which JSON carries as strings. */
const attributesOf = (attributes: Span["attributes"]) =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: String(Math.floor(value)) },
  }));
