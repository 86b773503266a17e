import { createMiddleware } from "hono/factory";
import type { HubBindings } from "../context.ts";

/** Names the request in its answer and notes when it came. */
export const requestId = createMiddleware<HubBindings>(async (c, next) => {
  const id = crypto.randomUUID();
  c.set("requestId", id);
  c.set("receivedAt", Date.now());
  await next();
  // The answer to an upgrade has immutable headers and goes as it is.
  if (c.res.status !== 101) c.res.headers.set("x-request-id", id);
});
