import { createMiddleware } from "hono/factory";
import type { HubBindings } from "../context.ts";
import { spendQuotas } from "../quotas.ts";
import { problem } from "../respond.ts";

/** Counts the request into what its app and its key may send; an upgrade is one, whatever comes over its socket. */
export const requestQuota = createMiddleware<HubBindings>(async (c, next) => {
  const spent = await spendQuotas(c.env, c.get("principal"), { requestsPerSecond: 1 });
  return spent.ok ? next() : problem(spent.failure);
});
