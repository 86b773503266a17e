import { expect, it } from "vitest";
import { isCustomHeaderName, isCustomHeaderValue } from "../../src/core/custom-headers.ts";
import { LIMITS } from "../../src/core/limits.ts";

it.each(["X-Api-Key", "x", "Tenant", "X-Webhook-Id", "a".repeat(LIMITS.TARGET_HEADER_NAME_CHARS_MAX)])(
  "[SEC-7] an owner may have %s sent along",
  (name) => {
    expect(isCustomHeaderName(name)).toBe(true);
  },
);

const MALFORMED = ["", "1a", "-a", "a_b", "a b", "a:", "é", "X-é", "a\r\nb", "a\0", "a".repeat(65), "__proto__"];

const RESERVED = [
  "Host HOST content-length Transfer-Encoding connection Keep-Alive upgrade TE trailer",
  "cookie Set-Cookie Authorization Proxy-Authorization content-type Content-Encoding expect",
  "Accept accept-encoding user-agent date via forwarded origin referer range traceparent tracestate",
  "webhook-id Webhook-Signature webhook-anything cf-ray CF-Connecting-IP X-Forwarded-For",
  "x-forwarded-host X-Real-IP true-client-ip hub-x Tidings-App sec-fetch-site Sec-X",
  "X-HTTP-Method-Override x-method-override X-Original-URL x-rewrite-url Access-Control-Allow-Origin",
].flatMap((line) => line.split(" "));

it.each([...MALFORMED, ...RESERVED])("[SEC-7] but not %j", (name) => {
  expect(isCustomHeaderName(name)).toBe(false);
});

it("[SEC-7] with a value of printable ASCII", () => {
  for (const value of ["", "a", "a b~!", "x".repeat(LIMITS.TARGET_HEADER_VALUE_CHARS_MAX)])
    expect(isCustomHeaderValue(value)).toBe(true);
  for (const value of ["é", "ж", "a\r\nSet-Cookie: b", "a\n", "\0", "\t", "\u007f", "x".repeat(1_025)])
    expect(isCustomHeaderValue(value), JSON.stringify(value)).toBe(false);
});
