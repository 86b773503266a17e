import { createMiddleware } from "hono/factory";
import { readConfig } from "../../config.ts";
import type { AppRecord } from "../../store/apps-store.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { isListedOrigin } from "../origin-directory.ts";
import { problem } from "../respond.ts";

const MAX_AGE_SECONDS = 600;
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "last-event-id",
  "tidings-app",
  "traceparent",
  "tracestate",
]);
const CLOUDEVENT_HEADER = /^ce-[a-z0-9]{1,20}$/;
const EXPOSED = "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed";

/**
 * CORS (Fetch, §3.2) for the exact origins that apps list: an answer may be read by pages of the credential's own app,
 * and a preflight, which has no credential, passes when any app lists its origin. Never `*`, and never cookies.
 */
export const cors = (methodsOf: (path: string) => readonly string[]) =>
  createMiddleware<HubBindings>(async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined) return next();
    if (isPreflight(c) && readConfig(c.env).rootKey !== null) return answerPreflight(c, origin, methodsOf(c.req.path));
    await next();
    if (c.res.status === 101) return; // Its headers are fixed, and no page reads them.
    c.res.headers.append("vary", "Origin");
    if (!(await mayRead(c, origin))) return;
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", EXPOSED);
  });

const isPreflight = (c: HubContext): boolean =>
  c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined;

async function answerPreflight(c: HubContext, origin: string, methods: readonly string[]): Promise<Response> {
  const isListed = await isListedOrigin(c.env.DB, origin);
  const answer = isListed && methods.length > 0 ? new Response(null, { status: 204 }) : problem(refusalOf(isListed));
  answer.headers.set("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  if (!isListed) return answer;
  answer.headers.set("access-control-allow-origin", origin);
  answer.headers.set("access-control-allow-methods", methods.join(", "));
  answer.headers.set("access-control-allow-headers", allowedHeaders(c).join(", "));
  answer.headers.set("access-control-max-age", String(MAX_AGE_SECONDS));
  return answer;
}

const refusalOf = (isListed: boolean) => ({ code: isListed ? "route_not_found" : "origin_not_allowed" }) as const;

/** Of those that the page asks for; a browser does not send the request when one of them is missing here. */
const allowedHeaders = (c: HubContext): string[] =>
  (c.req.header("access-control-request-headers") ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => REQUEST_HEADERS.has(name) || CLOUDEVENT_HEADER.test(name));

/** Whoever could not be told apart has no app: a page shall still learn that its credential was refused. */
async function mayRead(c: HubContext, origin: string): Promise<boolean> {
  const app = c.get("app") as AppRecord | undefined;
  if (app !== undefined) return app.origins?.includes(origin) ?? false;
  return isListedOrigin(c.env.DB, origin).catch(() => false);
}
