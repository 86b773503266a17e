/** Headers that an owner may have sent along with every webhook: an allowed form, and names that are not theirs. */
import { LIMITS } from "./limits.ts";

/** Stands for a header's value wherever a definition is shown; PUT again, it keeps the value that is there. */
export const HIDDEN_VALUE = "********";

const NAME = /^[A-Za-z][A-Za-z0-9-]*$/;
const VALUE = /^[\x20-\x7e]*$/;

export function isCustomHeaderName(name: string): boolean {
  const lower = name.toLowerCase();
  const hasForm = name.length <= LIMITS.TARGET_HEADER_NAME_CHARS_MAX && NAME.test(name);
  return hasForm && !REFUSED_NAMES.has(lower) && !REFUSED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

/** Printable ASCII: the runtime would take more of Latin-1, and receivers read that differently. */
export const isCustomHeaderValue = (value: string): boolean =>
  value.length <= LIMITS.TARGET_HEADER_VALUE_CHARS_MAX && VALUE.test(value);

// The connection's own, what the hub writes itself, and what would let a webhook speak in somebody's name.
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "cookie2",
  "date",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "origin",
  "range",
  "referer",
  "set-cookie",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "user-agent",
  "via",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-real-ip",
  "x-rewrite-url",
]);

const REFUSED_PREFIXES = [
  "webhook-",
  "ce-",
  "cf-",
  "x-forwarded-",
  "hub-",
  "tidings-",
  "proxy-",
  "sec-",
  "access-control-",
];
