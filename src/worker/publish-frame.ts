/** Publishes what came over a socket, as a draft in text. Its trace is the event's own: a frame has no headers. */
import { ok, type Result } from "../core/result.ts";
import type { RequestTrace } from "../core/trace-context.ts";
import type { EventDraft } from "../core/event.ts";
import { traceOfLine } from "../core/trace-context.ts";
import { exportSpans } from "../delivery/export-spans.ts";
import type { Env } from "../env.ts";
import { parseDraft } from "../wire/native/draft.ts";
import type { Caller } from "./caller.ts";
import { NO_CONDITIONS, publish } from "./publish.ts";
import { formatPublishReceipt } from "./publish-request.ts";
import { beginSampled, errorOf, recordSpanOf } from "./request-trace.ts";

/** The value is the receipt as JSON text. `exclude`: a connection that is not sent the event; null: all are. */
export async function publishFrame(
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  caller: Caller,
  topic: string,
  event: string,
  exclude: string | null,
): Promise<Result<string>> {
  const startedAt = Date.now();
  const begun = beginSampled(env);
  const { appName } = caller.principal;
  const { traceparent } = begun?.context ?? { traceparent: null };
  const draft = parseDraft(event, { source: `/apps/${appName}`, traceparent, exclude });
  if (!draft.ok) return draft;
  const published = await publish(env, caller, topic, [draft.value], NO_CONDITIONS);
  if (!published.ok) return published;
  const { receipts, replayed } = published.value;
  const trace = traceOf(draft.value, begun);
  const span = { topic, appName, startedAt, messages: 1, replayed, error: errorOf(receipts) };
  if (trace !== null && recordSpanOf(env, trace, span)) ctx.waitUntil(exportSpans(env));
  return ok(formatPublishReceipt(receipts[0]!));
}

function traceOf({ attributes }: EventDraft, begun: RequestTrace | null): RequestTrace | null {
  const context = traceOfLine(`{${attributes.slice(1)}}`);
  if (context === null) return null;
  return { context, isOurs: context.traceparent === begun?.context.traceparent };
}
