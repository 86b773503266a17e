import { createMiddleware } from "hono/factory";
import { fail } from "../../core/result.ts";
import type { HubBindings } from "../context.ts";
import { readText } from "../body.ts";
import { problem } from "../respond.ts";

/** Reads the body of a mutating request once; routes parse `c.var.body`. An empty body is the empty string. */
export const jsonBody = createMiddleware<HubBindings>(async (c, next) => {
  const body = await readText(c.req.raw);
  if (!body.ok) return problem(body.failure);
  const type = c.req.header("content-type") ?? "application/json";
  if (body.value !== "" && !/^application\/json\s*(;|$)/i.test(type)) {
    const unsupported = fail("content_type_unsupported", "Send application/json.");
    if (!unsupported.ok) return problem(unsupported.failure);
  }
  c.set("body", body.value);
  return next();
});
