/** The trace that a request belongs to, and the hub's own span in it where traces are exported. */
import { readConfig } from "../config.ts";
import { spanIdOf } from "../core/span.ts";
import {
  beginTrace,
  parseTraceContext,
  traceIdsOf,
  type RequestTrace,
  type TraceContext,
} from "../core/trace-context.ts";
import { exportSpans } from "../delivery/export-spans.ts";
import { recordSpan } from "../observability/spans.ts";
import type { HubContext } from "./context.ts";
import type { Published } from "./publish.ts";

/**
 * Null: it came with none, and none is begun. One that cannot be read, or several, begin a new trace (W3C Trace
 * Context, §4.2); so does a part of those that came with none, where traces are exported.
 */
export function requestTrace(c: HubContext): TraceContext | null {
  const known = c.get("trace");
  const trace = known === undefined ? readTrace(c) : known;
  c.set("trace", trace);
  return trace?.context ?? null;
}

function readTrace(c: HubContext): RequestTrace | null {
  const traceparent = c.req.header("traceparent") ?? null;
  const given = parseTraceContext(traceparent, c.req.header("tracestate") ?? null);
  if (given !== null) return { context: given, isOurs: false };
  const isSampled = Math.random() < (readConfig(c.env).otlp?.sampleRatio ?? 0);
  if (traceparent === null && !isSampled) return null;
  return { context: beginTrace(crypto.getRandomValues(new Uint8Array(24)), isSampled), isOurs: true };
}

/** After the append: the hub's span of a publish whose trace is sampled. */
export function recordPublish(c: HubContext, topic: string, { receipts, replayed }: Published): void {
  const trace = c.get("trace");
  if (trace === null || trace === undefined || readConfig(c.env).otlp === null) return;
  const { traceId, spanId, isSampled } = traceIdsOf(trace.context.traceparent);
  if (!isSampled) return;
  const failed = receipts.find(({ outcome }) => !outcome.ok)?.outcome;
  recordSpan({
    traceId,
    spanId: trace.isOurs ? spanId : spanIdOf(crypto.getRandomValues(new Uint8Array(8))),
    parentId: trace.isOurs ? null : spanId,
    name: `publish ${topic}`,
    kind: "producer",
    startedAt: c.var.receivedAt,
    endedAt: Date.now(),
    attributes: {
      "messaging.system": "tidings",
      "messaging.operation.type": "send",
      "messaging.destination.name": topic,
      "messaging.batch.message_count": receipts.length,
      "tidings.app": c.var.principal.appName,
      "tidings.replayed": String(replayed),
    },
    error: failed === undefined || failed.ok ? null : failed.failure.code,
  });
  c.executionCtx.waitUntil(exportSpans(c.env));
}
