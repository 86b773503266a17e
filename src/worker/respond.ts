/** Every answer's outer form: JSON, or a problem (RFC 9457). */
import type { Failure } from "../core/errors.ts";
import { ERRORS } from "../core/errors.ts";
import { count } from "../observability/meter.ts";
import { problemOf } from "../wire/native/problem.ts";
import { rateLimitHeaders } from "../wire/native/rate-limit.ts";

const JSON_TYPE = "application/json; charset=utf-8";

/** `text` is JSON already, as a string or in UTF-8. */
export const jsonText = (text: string | Blob, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(text, { status, headers: { "content-type": JSON_TYPE, ...headers } });

export const json = (value: unknown, status = 200): Response => jsonText(JSON.stringify(value), status);

export const noContent = (): Response => new Response(null, { status: 204 });

export function problem(failure: Failure): Response {
  const { status, retryable } = ERRORS[failure.code];
  count("tidings_refusals_total", { code: failure.code });
  const headers: Record<string, string> = { "content-type": "application/problem+json; charset=utf-8" };
  if (status === 401) headers["www-authenticate"] = `Bearer realm="tidings"`;
  if (status === 426) headers["upgrade"] = "websocket";
  if (status === 429 || status === 503 || (status === 409 && retryable))
    headers["retry-after"] = String(failure.retryAfterSeconds ?? 1);
  if (failure.quota !== undefined) Object.assign(headers, rateLimitHeaders(failure.quota));
  return new Response(JSON.stringify(problemOf(failure)), { status, headers });
}
