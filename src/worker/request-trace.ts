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
import type { Env } from "../env.ts";
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
  const begun = beginSampled(c.env);
  if (traceparent === null || begun !== null) return begun;
  return { context: beginTrace(crypto.getRandomValues(new Uint8Array(24)), false), isOurs: true };
}

/** A trace of the hub's own for a part of the publishes that come with none, where traces are exported. */
export function beginSampled(env: Env): RequestTrace | null {
  const isSampled = Math.random() < (readConfig(env).otlp?.sampleRatio ?? 0);
  if (!isSampled) return null;
  return { context: beginTrace(crypto.getRandomValues(new Uint8Array(24)), true), isOurs: true };
}

/** After the append. Of several publishes of one request the first begins a trace that is the hub's own. */
export function recordPublish(c: HubContext, topic: string, { receipts, replayed }: Published): void {
  recordPublishEnd(c, topic, { messages: receipts.length, replayed, error: errorOf(receipts) });
}

/** Likewise what is told of a publish when it is over. */
export function recordPublishEnd(c: HubContext, topic: string, ended: EndedPublish): void {
  const trace = c.get("trace");
  if (trace === null || trace === undefined) return;
  const by = { appName: c.get("principal").appName, startedAt: c.get("receivedAt") };
  const isRecorded = recordSpanOf(c.env, trace, { topic, ...by, ...ended });
  if (!isRecorded) return;
  c.set("trace", { ...trace, isOurs: false });
  c.executionCtx.waitUntil(exportSpans(c.env));
}

export interface EndedPublish {
  readonly messages: number;
  readonly replayed: boolean;
  /** What refused one of them, a code; null: nothing did. */
  readonly error: string | null;
}

export interface PublishSpan extends EndedPublish {
  readonly topic: string;
  readonly appName: string;
  /** Milliseconds. */
  readonly startedAt: number;
}

export function errorOf(receipts: Published["receipts"]): string | null {
  const failed = receipts.find(({ outcome }) => !outcome.ok)?.outcome;
  return failed === undefined || failed.ok ? null : failed.failure.code;
}

/** False: its trace is not sampled, or traces are exported nowhere. */
export function recordSpanOf(env: Env, trace: RequestTrace, published: PublishSpan): boolean {
  const { traceId, spanId, isSampled } = traceIdsOf(trace.context.traceparent);
  if (!isSampled || readConfig(env).otlp === null) return false;
  const { topic, appName, startedAt, messages, replayed, error } = published;
  recordSpan({
    traceId,
    spanId: trace.isOurs ? spanId : spanIdOf(crypto.getRandomValues(new Uint8Array(8))),
    parentId: trace.isOurs ? null : spanId,
    name: `publish ${topic}`,
    kind: "producer",
    startedAt,
    endedAt: Date.now(),
    attributes: {
      "messaging.system": "tidings",
      "messaging.operation.type": "send",
      "messaging.destination.name": topic,
      "messaging.batch.message_count": messages,
      "tidings.app": appName,
      "tidings.replayed": String(replayed),
    },
    error,
  });
  return true;
}
