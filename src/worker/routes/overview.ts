/** `GET /v1/overview`: how the app stands, in one answer for a person. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin } from "../../core/principal.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { IsolateCache } from "../isolate-cache.ts";
import { collectOverview } from "../overview.ts";
import { json, problem } from "../respond.ts";

export const overviewRoute = new Hono<HubBindings>().get("/overview", getOverview);

/** By app: several who look cost as much as one. */
const shown = new IsolateCache<object>(LIMITS.METRICS_APPS_MAX);

async function getOverview(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  if (!isAdmin(principal)) return problem({ code: "scope_missing" });
  const now = Date.now();
  const asksAnew = c.req.header("cache-control") === "no-cache";
  const known = asksAnew ? undefined : shown.get(principal.app, now);
  const overview = known ?? (await collectOverview(c.env, principal, now));
  if (known === undefined) shown.set(principal.app, overview, now + LIMITS.METRICS_CACHE_MS);
  return json(overview);
}
