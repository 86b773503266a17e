import { createMiddleware } from "hono/factory";
import type { HubBindings } from "../context.ts";
import { problem } from "../respond.ts";

/** A parameter that stands twice means one thing to one reader of the address and another to the next: refused. */
export const refuseDoubledParameters = createMiddleware<HubBindings>(async (c, next) => {
  const query = c.req.url.indexOf("?");
  if (query < 0) return next();
  const names = [...new URLSearchParams(c.req.url.slice(query)).keys()];
  return new Set(names).size === names.length ? next() : problem(DOUBLED);
});

const DOUBLED = { code: "parameter_invalid", detail: "A parameter stands in the query more than once." } as const;
