import { createMiddleware } from "hono/factory";
import { scanJson } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { readText } from "../body.ts";
import type { HubBindings } from "../context.ts";
import { problem } from "../respond.ts";

/**
 * Reads the body of a mutating request once; routes parse `c.var.body`. An empty body is the empty string. What is too
 * deep, has too many members or is not Unicode is refused before anything parses it, also where no route would look.
 */
export const jsonBody = createMiddleware<HubBindings>(async (c, next) => {
  const body = await readText(c.req.raw);
  if (!body.ok) return problem(body.failure);
  const readable = body.value === "" ? ok(null) : checkJsonBody(body.value, c.req.header("content-type"));
  if (!readable.ok) return problem(readable.failure);
  c.set("body", body.value);
  return next();
});

function checkJsonBody(text: string, type = "application/json"): Result<unknown> {
  const isJson = /^application\/json\s*(;|$)/i.test(type);
  if (!isJson) return fail("content_type_unsupported", "Send application/json.");
  return scanJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
}
