/** The trace that a request belongs to. */
import { beginTrace, parseTraceContext, type TraceContext } from "../core/trace-context.ts";
import type { HubContext } from "./context.ts";

/** Null: it came with none. One that cannot be read, or several, begin a new trace (W3C Trace Context, §4.2). */
export function requestTrace(c: HubContext): TraceContext | null {
  const traceparent = c.req.header("traceparent") ?? null;
  if (traceparent === null) return null;
  const given = parseTraceContext(traceparent, c.req.header("tracestate") ?? null);
  return given ?? beginTrace(crypto.getRandomValues(new Uint8Array(24)), false);
}
