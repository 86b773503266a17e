/**
 * Sends the isolate's spans to the owner's collector, by OTLP over HTTP, where one is named. Always beside the work, in
 * `waitUntil`, and several together; what cannot be sent is dropped and logged, and nothing else notices.
 */
import { readConfig, type OtlpSettings } from "../config.ts";
import { LIMITS } from "../core/limits.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { areSpansWaiting, takeSpans } from "../observability/spans.ts";
import { formatSpans, OTLP_TRACES_PATH } from "../wire/otlp/format-spans.ts";
import { judgeTarget } from "./judge-target.ts";

const VERSION = "0.1.0";
const TIMEOUT_MS = 10_000;

/** When the export that others count on is due; one that was never made is not waited for any longer. */
let dueAt = 0;

/** Never rejects. */
export async function exportSpans(env: Env): Promise<void> {
  const config = readConfig(env);
  if (config.otlp === null || !areSpansWaiting()) return;
  const now = Date.now();
  if (dueAt > now) return;
  dueAt = now + LIMITS.TRACE_EXPORT_MS;
  await scheduler.wait(LIMITS.TRACE_EXPORT_MS);
  dueAt = 0;
  const spans = takeSpans();
  if (spans.length === 0) return;
  try {
    const judged = await judgeTarget(config.otlp.url + OTLP_TRACES_PATH, config, null);
    if (judged.kind !== "allowed") return logStage("trace.export_failed", { spans: spans.length, error: judged.kind });
    const status = await post(judged.url, config.otlp, formatSpans(spans, VERSION));
    if (status >= 300) logStage("trace.export_failed", { spans: spans.length, status });
  } catch (error) {
    logStage("trace.export_failed", { spans: spans.length, error: String(error) });
  }
}

async function post(url: URL, { headers }: OtlpSettings, body: string): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  return response.status;
}
