import { createMiddleware } from "hono/factory";
import { flushCountsWhenDue } from "../../observability/flush-counts.ts";
import { count } from "../../observability/meter.ts";
import type { HubBindings } from "../context.ts";

/** Counts requests by app and by the class of their answer. Who nobody knows is of no app. */
export const countRequests = createMiddleware<HubBindings>(async (c, next) => {
  await next();
  const principal = c.get("principal") as HubBindings["Variables"]["principal"] | undefined;
  const status = `${Math.floor(c.res.status / 100)}xx`;
  count("tidings_http_requests_total", { ...(principal !== undefined && { app: principal.app }), status });
  c.executionCtx.waitUntil(flushCountsWhenDue(c.env, Date.now()));
});
